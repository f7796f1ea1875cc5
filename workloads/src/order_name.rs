//! Orders as text: `sequential`, `random`, and those with a parameter behind a colon, as in fio.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::limits;
use crate::plan::Order;

/// What an order may be, for errors.
const ALLOWED: &str = "`sequential`, `random`, `zipf:1.2`, `pareto:0.2` or `normal:20`, each with a number of its own";

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
            ("zipf", _) => Ok(Order::Zipf { theta: number(limits::ZIPF_THETA)? }),
            ("pareto", _) => Ok(Order::Pareto { h: number(limits::PARETO_H)? }),
            ("normal", _) => Ok(Order::Normal { percent: number(limits::NORMAL_PERCENT)? }),
            _ => Err(refuse(ALLOWED.to_owned())),
        }
    }
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
        for text in ["sequential", "random", "zipf:1.2", "pareto:0.2", "normal:20"] {
            assert_eq!(text.parse::<Order>().map(|order| order.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_none_is_answered_with_what_is() {
        let error = |text: &str| text.parse::<Order>().expect_err(text).to_string();
        assert!(error("shuffled").starts_with("unknown order `shuffled`, expected `sequential`,"));
        assert!(error("random:1").contains("expected `sequential`, `random`, `zipf:1.2`"));
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
