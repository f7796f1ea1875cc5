//! What a run of fio does not show, as caveats of its record.

use iowq_contract::{Caveat, Code};

use crate::format::count;
use crate::import::fio::latency::Service;

/// How a job was run and reported.
pub(super) struct Circumstances {
    pub(super) rated: bool,
    /// Whether its figures are those of a group.
    pub(super) group: bool,
    /// Whether reads, writes and trims are one figure.
    pub(super) unified: bool,
    /// Jobs of the same report that ran at the same time.
    pub(super) beside: usize,
    /// The signal that ended fio.
    pub(super) signal: Option<u32>,
}

/// The caveats of a job's record.
pub(super) fn of(service: &Service, it: &Circumstances) -> Vec<Caveat> {
    let mut caveats = vec![Caveat::new(Code::Imported, imported(service, it))];
    if !service.untimed.is_empty() || service.apart {
        caveats.push(Caveat::new(Code::LatencyUnknown, unknown(service)));
    }
    if service.moved {
        let text = "service time is fio's completion latency with the mean of its submission \
                    latency added, so that its quantiles are near and not exact: run fio with \
                    lat_percentiles=1";
        caveats.push(Caveat::new(Code::SlatAdded, text));
    }
    if it.group {
        let text = "group_reporting: the figures are sums over the jobs of a group, and fio writes \
                    neither how many there were nor the options of any but the last: depth, files \
                    and block size are unknown";
        caveats.push(Caveat::new(Code::Grouped, text));
    }
    if it.unified {
        let text = "unified_rw_reporting: reads, writes and trims are one figure, and syncs are in \
                    none";
        caveats.push(Caveat::new(Code::KindsTogether, text));
    }
    if it.beside > 0 {
        let others = count(it.beside as u64, "other job", "other jobs");
        let text = format!(
            "it ran beside {others} of the same report, whose load is in its latency and \
             throughput"
        );
        caveats.push(Caveat::new(Code::SideBySide, text));
    }
    if let Some(signal) = it.signal {
        let text = format!(
            "fio was ended by signal {signal}: what it did until then counts, and it may have done \
             less than its options say"
        );
        caveats.push(Caveat::new(Code::Interrupted, text));
    }
    caveats
}

fn imported(service: &Service, it: &Circumstances) -> String {
    let latency = match (service.kinds.is_empty(), service.percentiles_alone) {
        (true, _) => "there are no latencies",
        (false, true) => "of latencies only fio's percentiles are known",
        (false, false) => "latencies are middles of fio's bins",
    };
    let response = if it.rated {
        "fio was given a rate and does not write down when an op was meant to start, so that there \
         is no response time"
    } else {
        "response time is service time, as in any closed loop"
    };
    format!(
        "imported from fio: workers were not watched, the host is as good as unknown, {latency}, \
         and {response}"
    )
}

fn unknown(service: &Service) -> String {
    let kinds = service.untimed.join(", ");
    let untimed = (!kinds.is_empty()).then(|| {
        format!(
            "fio did not time {kinds}, or wrote too few percentiles: run it without gtod_reduce \
             and disable_*, and with --output-format=json+"
        )
    });
    let apart = (service.apart && service.untimed.is_empty()).then(|| {
        "percentiles of several kinds of operations make none of all together: run fio with \
         --output-format=json+"
            .to_owned()
    });
    untimed.or(apart).unwrap_or_default()
}
