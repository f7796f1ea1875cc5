//! Events in the order in which they happened. A birth waits until its worker has named itself,
//! which says what it is. Births and exits after it wait behind it, because they are told in their order,
//! and all else of the same process.

use std::collections::{HashMap, VecDeque};

use iowq_ebpf::trace::{LIFE_BORN, LIFE_EXITED, LIFE_NAMED, LifeEvent};

/// How long a birth waits for the worker to name itself.
const NAMING_NS_MAX: u64 = 1_000_000_000;

/// An event, with what is known of it.
pub(crate) struct Life {
    pub(crate) event: LifeEvent,
    /// What the worker said of itself when it gave itself its name.
    pub(crate) named: Option<LifeEvent>,
    settled: bool,
}

/// Events that wait.
#[derive(Default)]
pub(crate) struct Order {
    waiting: VecDeque<Life>,
    /// How many of each process.
    of_process: HashMap<u32, usize>,
    /// What need not wait.
    ready: VecDeque<Life>,
}

impl Order {
    /// Takes one more event.
    pub(crate) fn push(&mut self, event: LifeEvent) {
        match event.kind {
            LIFE_NAMED => return self.settle(&event, Some(event)),
            // A worker that is gone will not name itself any more.
            LIFE_EXITED => self.settle(&event, None),
            _ => {}
        }
        let settled = event.kind != LIFE_BORN;
        let life = Life { event, named: None, settled };
        if ![LIFE_BORN, LIFE_EXITED].contains(&event.kind) && !self.has(event.tgid) {
            return self.ready.push_back(life);
        }
        *self.of_process.entry(event.tgid).or_default() += 1;
        self.waiting.push_back(life);
    }

    /// The next event of which all is known, or of which no more is to be expected.
    pub(crate) fn pop(&mut self, now_ns: u64) -> Option<Life> {
        if let Some(life) = self.ready.pop_front() {
            return Some(life);
        }
        let next = self.waiting.front()?;
        let is_due = next.settled || now_ns.saturating_sub(next.event.time_ns) >= NAMING_NS_MAX;
        let life = if is_due { self.waiting.pop_front() } else { None }?;
        let left = self.of_process.entry(life.event.tgid).or_default();
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.of_process.remove(&life.event.tgid);
        }
        Some(life)
    }

    /// Whether something of this process waits.
    pub(crate) fn has(&self, pid: u32) -> bool {
        self.of_process.contains_key(&pid)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.ready.is_empty()
    }

    fn settle(&mut self, event: &LifeEvent, named: Option<LifeEvent>) {
        let birth = self.waiting.iter_mut().rev().find(|life| {
            !life.settled && life.event.tid == event.tid && life.event.tgid == event.tgid
        });
        if let Some(life) = birth {
            (life.settled, life.named) = (true, named);
        }
    }
}

#[cfg(test)]
mod tests {
    use iowq_ebpf::trace::{LIFE_PROCESS, LIFE_RING};

    use super::*;

    fn event(kind: u32, tid: u32, time_ns: u64) -> LifeEvent {
        LifeEvent { by_tid: 1, ..LifeEvent::of(kind, time_ns, 1, tid) }
    }

    fn popped(order: &mut Order, now_ns: u64) -> Vec<(u32, u32, bool)> {
        std::iter::from_fn(|| order.pop(now_ns))
            .map(|life| (life.event.kind, life.event.tid, life.named.is_some()))
            .collect()
    }

    #[test]
    fn the_end_of_a_process_comes_after_the_births_before_it() {
        let mut order = Order::default();
        order.push(event(LIFE_BORN, 5, 10));
        order.push(event(LIFE_PROCESS, 1, 20));
        assert!(popped(&mut order, 30).is_empty() && order.has(1));
        order.push(event(LIFE_NAMED, 5, 25));
        assert_eq!(popped(&mut order, 30), [(LIFE_BORN, 5, true), (LIFE_PROCESS, 1, false)]);
        assert!(order.is_empty());
    }

    #[test]
    fn a_ring_of_another_process_does_not_wait_for_a_birth() {
        let mut order = Order::default();
        order.push(event(LIFE_BORN, 5, 10));
        order.push(LifeEvent { tgid: 2, ..event(LIFE_RING, 3, 20) });
        order.push(event(LIFE_RING, 4, 30));
        assert_eq!(popped(&mut order, 40), [(LIFE_RING, 3, false)]);
        assert!(order.has(1) && !order.has(2));
        order.push(event(LIFE_NAMED, 5, 45));
        assert_eq!(popped(&mut order, 50), [(LIFE_BORN, 5, true), (LIFE_RING, 4, false)]);
        assert!(order.is_empty() && !order.has(1));
    }

    #[test]
    fn a_birth_whose_name_never_comes_holds_others_for_a_second() {
        let mut order = Order::default();
        order.push(event(LIFE_BORN, 5, 10));
        order.push(event(LIFE_BORN, 6, 10));
        order.push(event(LIFE_EXITED, 6, 20));
        assert!(popped(&mut order, 1000).is_empty());
        let all = [(LIFE_BORN, 5, false), (LIFE_BORN, 6, false), (LIFE_EXITED, 6, false)];
        assert_eq!(popped(&mut order, 10 + NAMING_NS_MAX), all);
    }
}
