//! Connections: the checks of `[sockets]`, and of what is done to them.

use super::{Check, Targets};
use crate::error::SpecError;
use crate::limits;
use crate::plan::{FileState, Mix, Open, SocketKind, Sockets};
use crate::spec::{self, Spec};

/// What ops are on if it is connections: each stands where a file would.
pub(super) fn targets(
    check: &Check<'_>,
    spec: &Spec,
    of: &spec::Sockets,
) -> Result<Targets, SpecError> {
    let files = check.range("sockets.count", of.count, limits::SOCKETS)? as u32;
    let bytes = check.range("sockets.message_bytes", of.message_bytes, limits::MESSAGE_BYTES)?;
    let answer = check.milliseconds("sockets.answer_ms", of.answer_ms, limits::WAIT_MS)?;
    if spec.log.is_some() {
        return Err(check.refuse(
            "log",
            "a log",
            "none beside [sockets]; give it to another [[task]]",
        ));
    }
    Ok(Targets {
        files,
        file_blocks: 1,
        block_bytes: bytes as u32,
        sizes: Vec::new(),
        open: vec![Open::Buffered; files as usize],
        state: vec![FileState::Fresh; files as usize],
        cached: false,
        sockets: Some(Sockets { kind: of.kind, answer }),
    })
}

/// Whether a mix does to connections what can be done to them, and to files what is done to those.
pub(super) fn check_mix(
    check: &Check<'_>,
    mix: &Mix,
    sockets: Option<SocketKind>,
) -> Result<(), SpecError> {
    let of_files =
        [("mix.write", mix.write), ("mix.read", mix.read), ("mix.fallocate", mix.fallocate)];
    let of_sockets =
        [("mix.receive", mix.receive), ("mix.send", mix.send), ("mix.splice", mix.splice)];
    let (others, allowed) = match sockets {
        Some(_) => (of_files, "0 with [sockets], which have `receive`, `send` and `splice`"),
        None => (of_sockets, "0 without [sockets]"),
    };
    if let Some((field, found)) = others.into_iter().find(|(_, weight)| *weight > 0) {
        return Err(check.refuse(field, found, allowed));
    }
    match sockets {
        Some(SocketKind::Pipe) if mix.send > 0 && mix.receive + mix.splice > 0 => {
            let allowed = "0 beside `receive` and `splice`, because a pipe has one direction; \
                           give it to another [[task]]";
            Err(check.refuse("mix.send", mix.send, allowed))
        }
        Some(SocketKind::Unix | SocketKind::Tcp) if mix.splice > 0 => {
            let allowed = "0 but with `kind = \"pipe\"`, because splice(2) moves out of pipes";
            Err(check.refuse("mix.splice", mix.splice, allowed))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::{Plan, SocketKind};

    fn parse(text: &str) -> Result<Plan, String> {
        Plan::parse("net", "net.toml", text).map_err(|error| error.to_string())
    }

    #[test]
    fn connections_stand_where_files_would() {
        let plan = parse("[sockets]\ncount = 3\nanswer_ms = 2\n[mix]\nreceive = 1");
        let plan = plan.expect("it is valid");
        assert_eq!((plan.files, plan.block_bytes, plan.mix.write), (3, 512, 0));
        let sockets = plan.sockets.expect("there are some");
        assert_eq!((sockets.kind, sockets.answer.as_millis()), (SocketKind::Unix, 2));
        let names: Vec<_> = plan.kinds().map(crate::OpKind::name).collect();
        assert_eq!(names, ["receive"]);
    }

    #[test]
    fn what_connections_cannot_have_is_refused_by_name() {
        for (text, parts) in [
            ("[sockets]", ["mix", "receive"]),
            ("[sockets]\n[mix]\nwrite = 1", ["mix.write: found 1", "[sockets]"]),
            ("[mix]\nreceive = 1", ["mix.receive: found 1", "without [sockets]"]),
            ("[sockets]\nkind = \"udp\"\n[mix]\nsend = 1", ["udp", "one of `unix`, `tcp`, `pipe`"]),
            ("[sockets]\n[mix]\nsplice = 1", ["mix.splice: found 1", "\"pipe\""]),
            (
                "[sockets]\nkind = \"pipe\"\n[mix]\nsend = 1\nreceive = 1",
                ["mix.send: found 1", "one direction"],
            ),
            ("[sockets]\n[log]\n[mix]\nsend = 1", ["log", "[[task]]"]),
            ("[sockets]\ncount = 0\n[mix]\nsend = 1", ["sockets.count: found 0", "1 to"]),
            (
                "[sockets]\nmessage_bytes = 0\n[mix]\nsend = 1",
                ["sockets.message_bytes: found 0", "1 to"],
            ),
        ] {
            let error = parse(text).expect_err(text);
            assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
        }
    }
}
