//! Sockets and pipes: the system calls on them, made and measured.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use iowq_workloads::SocketKind;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, ReadWriteFlags, retry_on_intr};
use rustix::net::sockopt::set_socket_linger;
use rustix::pipe::{PipeFlags, SpliceFlags};

/// An offset that stands for none, of files that have no place in them.
const NO_OFFSET: u64 = u64::MAX;

/// Connections: of each the end that ops are on, and the far one, which never waits. Of pipes the near
/// ends are those to write to if `sends`, and else those to read from.
///
/// # Errors
/// If there is no descriptor, no port or no memory left.
pub fn connect(
    kind: SocketKind,
    count: u32,
    sends: bool,
) -> io::Result<(Vec<OwnedFd>, Vec<OwnedFd>)> {
    let listener = match kind {
        SocketKind::Tcp => Some(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?),
        SocketKind::Unix | SocketKind::Pipe => None,
    };
    let one = |_| connect_one(kind, listener.as_ref(), sends);
    let ends: Vec<_> = (0..count).map(one).collect::<io::Result<_>>()?;
    Ok(ends.into_iter().unzip())
}

fn connect_one(
    kind: SocketKind,
    listener: Option<&TcpListener>,
    sends: bool,
) -> io::Result<(OwnedFd, OwnedFd)> {
    let (near, far) = match kind {
        SocketKind::Unix => {
            let (near, far) = UnixStream::pair()?;
            (near.into(), far.into())
        }
        SocketKind::Tcp => {
            let listener = listener.ok_or(ErrorKind::NotConnected)?;
            let near = TcpStream::connect(listener.local_addr()?)?;
            let (far, _) = listener.accept()?;
            // Messages are not held back until there are more.
            near.set_nodelay(true)?;
            far.set_nodelay(true)?;
            // Closed at once, so that thousands of them leave no port behind that waits.
            set_socket_linger(&near, Some(Duration::ZERO))?;
            (near.into(), far.into())
        }
        SocketKind::Pipe => {
            let (reads, writes) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
            if sends { (writes, reads) } else { (reads, writes) }
        }
    };
    rustix::io::ioctl_fionbio(&far, true)?;
    Ok((near, far))
}

/// Where what is spliced goes: it keeps nothing.
///
/// # Errors
/// If there is no /dev/null, or no descriptor left.
pub fn nowhere() -> Result<OwnedFd, Errno> {
    rustix::fs::open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
}

/// Takes what is there, up to all of `bytes`, and waits for the first byte if it may wait.
///
/// # Errors
/// `EAGAIN` if nothing is there and it may not wait.
pub fn receive(from: impl AsFd, bytes: &mut [u8], may_wait: bool) -> Result<usize, Errno> {
    if may_wait {
        return retry_on_intr(|| rustix::io::read(&from, &mut *bytes));
    }
    let mut parts = [IoSliceMut::new(bytes)];
    match rustix::io::preadv2(&from, &mut parts, NO_OFFSET, ReadWriteFlags::NOWAIT) {
        // Sockets know this flag since 6.5, pipes since 6.4.
        Err(Errno::OPNOTSUPP) if is_ready(&from, PollFlags::IN)? => {
            retry_on_intr(|| rustix::io::read(&from, &mut *bytes))
        }
        Err(Errno::OPNOTSUPP) => Err(Errno::AGAIN),
        moved => moved,
    }
}

/// Hands over `bytes`, or if it may not wait, those for which there is room.
///
/// # Errors
/// `EAGAIN` if there is no room and it may not wait.
pub fn send(to: impl AsFd, bytes: &[u8], may_wait: bool) -> Result<usize, Errno> {
    if may_wait {
        return retry_on_intr(|| rustix::io::write(&to, bytes));
    }
    let parts = [IoSlice::new(bytes)];
    match rustix::io::pwritev2(&to, &parts, NO_OFFSET, ReadWriteFlags::NOWAIT) {
        Err(Errno::OPNOTSUPP) if is_ready(&to, PollFlags::OUT)? => {
            retry_on_intr(|| rustix::io::write(&to, bytes))
        }
        Err(Errno::OPNOTSUPP) => Err(Errno::AGAIN),
        moved => moved,
    }
}

fn is_ready(file: impl AsFd, events: PollFlags) -> Result<bool, Errno> {
    let mut watched = [PollFd::new(&file, events)];
    Ok(retry_on_intr(|| poll(&mut watched, Some(&Timespec::default())))? > 0)
}

/// Moves what is in a pipe, up to that many bytes, and waits for the first one.
///
/// # Errors
/// If one of them is no pipe or takes no splice.
pub fn splice(from: impl AsFd, to: impl AsFd, bytes: u32) -> Result<usize, Errno> {
    let none = SpliceFlags::empty();
    retry_on_intr(|| rustix::pipe::splice(&from, None, &to, None, bytes as usize, none))
}
