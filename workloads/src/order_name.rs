//! Orders as text: `sequential`, `random`, and those with a parameter behind a colon, most as in fio.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::limits;
use crate::plan::{Order, Zones};

/// What an order may be, for errors.
const ALLOWED: &str = "`sequential`, `random`, `step:-1`, `zipf:1.2`, `pareto:0.2` or `normal:20`, each \
                       with a number of its own, or `zoned:90/10:10/90`";

/// What zones may be, for errors.
const ZONES: &str = "`zoned:`, and for each zone of up to 8 its share of visits and of the file in \
                     percent, such as `90/10:10/90`: 100 of visits together, and 100 of the file at most";

/// A text that is no order, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown order `{found}`, expected {allowed}")]
pub struct OrderError {
    found: String,
    allowed: String,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Order::Sequential => f.write_str("sequential"),
            Order::Random => f.write_str("random"),
            Order::Step { blocks } => write!(f, "step:{blocks}"),
            Order::Zoned(zones) => {
                f.write_str("zoned")?;
                zones.shares().try_for_each(|(visits, of_file)| write!(f, ":{visits}/{of_file}"))
            }
            Order::Zipf { theta } => write!(f, "zipf:{theta}"),
            Order::Pareto { h } => write!(f, "pareto:{h}"),
            Order::Normal { percent } => write!(f, "normal:{percent}"),
        }
    }
}

impl FromStr for Order {
    type Err = OrderError;

    fn from_str(text: &str) -> Result<Order, OrderError> {
        let refuse = |allowed: String| OrderError { found: text.to_owned(), allowed };
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (text, None),
        };
        let number = |range: RangeInclusive<f64>| {
            let number = parameter.and_then(|parameter| parameter.parse().ok());
            number.filter(|number| range.contains(number)).ok_or_else(|| {
                refuse(format!("`{name}:` and a number from {} to {}", range.start(), range.end()))
            })
        };
        match (name, parameter) {
            ("sequential", None) => Ok(Order::Sequential),
            ("random", None) => Ok(Order::Random),
            ("step", _) => {
                let (least, most) = (limits::STEP_BLOCKS.start(), limits::STEP_BLOCKS.end());
                let step = parameter.and_then(|parameter| parameter.parse().ok());
                let step = step.filter(|blocks| limits::STEP_BLOCKS.contains(blocks));
                let allowed = || refuse(format!("`step:` and blocks from {least} to {most}"));
                Ok(Order::Step { blocks: step.ok_or_else(allowed)? })
            }
            ("zoned", _) => {
                let zones = parameter.and_then(zones).ok_or_else(|| refuse(ZONES.to_owned()))?;
                Ok(Order::Zoned(zones))
            }
            ("zipf", _) => Ok(Order::Zipf { theta: number(limits::ZIPF_THETA)? }),
            ("pareto", _) => Ok(Order::Pareto { h: number(limits::PARETO_H)? }),
            ("normal", _) => Ok(Order::Normal { percent: number(limits::NORMAL_PERCENT)? }),
            _ => Err(refuse(ALLOWED.to_owned())),
        }
    }
}

/// Zones as fio writes them: those without a share of the file have equal parts of what is left.
fn zones(text: &str) -> Option<Zones> {
    let parts: Vec<&str> = text.split(':').collect();
    let mut zones = Zones::default();
    let (mut open, mut visits, mut of_file) = (0, 0_u32, 0_u32);
    for (zone, part) in zones.0.iter_mut().zip(&parts) {
        let (share, size) = part.split_once('/').unwrap_or((part, ""));
        *zone = (share.parse().ok()?, if size.is_empty() { 0 } else { size.parse().ok()? });
        if zone.0 == 0 || (zone.1 == 0 && !size.is_empty()) {
            return None;
        }
        open += u32::from(size.is_empty());
        (visits, of_file) = (visits + u32::from(zone.0), of_file + u32::from(zone.1));
    }
    if parts.len() > limits::ZONES_MAX || visits != 100 || of_file > 100 {
        return None;
    }
    let rest = (100 - of_file).checked_div(open).unwrap_or(0) as u8;
    let without = zones.0.iter_mut().filter(|(visits, of_file)| *visits > 0 && *of_file == 0);
    without.for_each(|zone| zone.1 = rest);
    zones.shares().all(|(_, of_file)| of_file > 0).then_some(zones)
}

impl TryFrom<String> for Order {
    type Error = OrderError;

    fn try_from(text: String) -> Result<Order, OrderError> {
        text.parse()
    }
}

impl From<Order> for String {
    fn from(order: Order) -> String {
        order.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_read_as_it_is_written() {
        for text in [
            "sequential",
            "random",
            "step:-1",
            "zipf:1.2",
            "pareto:0.2",
            "normal:20",
            "zoned:50/5:30/15:20/80",
        ] {
            assert_eq!(text.parse::<Order>().map(|order| order.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn zones_without_a_share_of_the_file_have_what_is_left() {
        for (text, whole) in [
            ("zoned:50/5:30/15:20/", "zoned:50/5:30/15:20/80"),
            ("zoned:50:50", "zoned:50/50:50/50"),
            ("zoned:100/10", "zoned:100/10"),
        ] {
            assert_eq!(text.parse::<Order>().map(|order| order.to_string()), Ok(whole.to_owned()));
        }
        for text in ["zoned", "zoned:", "zoned:50/5", "zoned:60/5:60/5", "zoned:50/60:50/60"] {
            assert!(text.parse::<Order>().is_err(), "{text}");
        }
        for text in ["zoned:100/0", "zoned:0/5:100/95", "zoned:100/100:0/0", "zoned:50/100:50/"] {
            assert!(text.parse::<Order>().is_err(), "{text}");
        }
        assert!(format!("zoned:{}", ["10/10"; 10].join(":")).parse::<Order>().is_err());
    }

    #[test]
    fn what_is_none_is_answered_with_what_is() {
        let error = |text: &str| text.parse::<Order>().expect_err(text).to_string();
        assert!(error("shuffled").starts_with("unknown order `shuffled`, expected `sequential`,"));
        assert!(error("random:1").contains("expected `sequential`, `random`, `step:-1`"));
        for text in ["zipf", "zipf:", "zipf:0", "zipf:nan", "zipf:inf", "zipf:1.2:3"] {
            assert!(
                error(text).ends_with("expected `zipf:` and a number from 0.01 to 10"),
                "{text}"
            );
        }
        assert!(error("pareto:1").ends_with("expected `pareto:` and a number from 0.001 to 0.999"));
        assert!(error("normal:101").ends_with("expected `normal:` and a number from 0.1 to 100"));
    }
}
