//! Which source a trace has: the best one that starts, or the one that is asked for.

use iowq_contract::{Caveat, Code, Tier};
use iowq_harness::probes::{ProbeError, TraceOptions, TraceProbes, TraceSource, Tracepoints};

use crate::polled::Polled;

/// A source that started.
pub(crate) struct Started {
    pub(crate) source: Box<dyn TraceSource>,
    /// Why it is not a better one; empty for the best.
    pub(crate) reason: String,
}

/// Starts this tier, or the best that starts.
///
/// # Errors
///
/// Says what is missing and what helps, see [`ProbeError`]; without a tier that is asked for `/proc` is
/// always left.
pub(crate) fn start(tier: Option<Tier>, options: &TraceOptions) -> Result<Started, ProbeError> {
    let asked = |tier: &str| format!("--tier {tier} asks for it");
    match tier {
        Some(Tier::Bpf) => Ok(Started { source: bpf(options)?, reason: String::new() }),
        Some(Tier::Tracefs) => {
            Ok(Started { source: tracepoints(options)?, reason: asked("tracefs") })
        }
        Some(Tier::Proc | Tier::Off) => {
            Ok(Started { source: proc(options), reason: asked("proc") })
        }
        None => Ok(best(options)),
    }
}

fn best(options: &TraceOptions) -> Started {
    let no_bpf = match bpf(options) {
        Ok(source) => return Started { source, reason: String::new() },
        Err(error) => error.to_string(),
    };
    match tracepoints(options) {
        Ok(source) => Started { source, reason: no_bpf },
        Err(error) => Started { source: proc(options), reason: both(no_bpf, &error.to_string()) },
    }
}

/// Why there are neither BPF programs nor tracepoints, which often is the same.
fn both(no_bpf: String, no_tracepoints: &str) -> String {
    if no_bpf == no_tracepoints { no_bpf } else { format!("{no_bpf}. And {no_tracepoints}") }
}

fn bpf(options: &TraceOptions) -> Result<Box<dyn TraceSource>, ProbeError> {
    Ok(Box::new(TraceProbes::start(options)?))
}

fn tracepoints(options: &TraceOptions) -> Result<Box<dyn TraceSource>, ProbeError> {
    Ok(Box::new(Tracepoints::start(options)?))
}

fn proc(options: &TraceOptions) -> Box<dyn TraceSource> {
    Box::new(Polled::start(options.some))
}

/// What limits the figures of a tier.
pub(crate) fn caveats(tier: Tier, reason: &str) -> Vec<Caveat> {
    match tier {
        Tier::Bpf => Vec::new(),
        Tier::Tracefs => vec![Caveat::new(
            Code::NoBpf,
            format!(
                "each event of a request is a record that this process reads, which costs the traced \
                 and this process more than counting by BPF programs ({reason})"
            ),
        )],
        Tier::Proc | Tier::Off => vec![
            Caveat::new(
                Code::ProcMissed,
                "births, exits, rings and peaks are lower bounds: /proc is looked at about ten times a \
                 second, and what comes and goes between two looks is missed",
            ),
            Caveat::new(
                Code::NoBpf,
                format!("workers were watched by polling /proc, without BPF programs ({reason})"),
            ),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lesser_tier_says_what_limits_its_figures() {
        let codes = |tier| {
            let caveats = caveats(tier, "no rights");
            assert!(caveats.iter().any(|it| it.text.contains("no rights")) || caveats.is_empty());
            caveats.into_iter().map(|caveat| caveat.code).collect::<Vec<_>>()
        };
        assert_eq!(codes(Tier::Bpf), []);
        assert_eq!(codes(Tier::Tracefs), [Code::NoBpf]);
        assert_eq!(codes(Tier::Proc), [Code::ProcMissed, Code::NoBpf]);
    }

    #[test]
    fn the_same_reason_is_said_once() {
        assert_eq!(both("a".into(), "a"), "a");
        assert_eq!(both("a".into(), "b"), "a. And b");
    }
}
