//! The work lists: FIFO per account, with works of one bucket kept together as runs.

use crate::nanos::Nanos;
use crate::work::{Account, BUCKETS, Flags, Key, WorkId};

/// No work: the end of a list.
const NIL: WorkId = WorkId(u32::MAX);

/// A work in the table.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Next in the list, or in the run once it was cut out.
    next: WorkId,
    flags: Flags,
    /// The work that starts when this one succeeded.
    link: Option<WorkId>,
    queued_at: Nanos,
}

/// A singly linked list of works.
#[derive(Clone, Copy, Debug)]
struct List {
    head: WorkId,
    tail: WorkId,
    len: u32,
}

/// What a scan of the list found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// This work, and the rest of its run behind it.
    Work(WorkId),
    /// Only works whose buckets are busy.
    Stalled,
    /// Nothing queued.
    Empty,
}

/// Both lists, the tail of each bucket's run, and the map of busy buckets.
#[derive(Debug)]
pub struct Queue {
    nodes: Vec<Node>,
    lists: [List; 2],
    /// Last queued work of each bucket in each list, so that the next one goes right behind it.
    hash_tail: [[WorkId; BUCKETS]; 2],
    /// Queued works of each bucket in each list: the length of its run.
    hash_len: [[u32; BUCKETS]; 2],
    /// Buckets whose run a worker holds.
    busy: u64,
}

impl Queue {
    /// Room for works `0..works`.
    #[must_use]
    pub fn new(works: u32) -> Queue {
        let flags = Flags { account: Account::Bounded, bucket: None, concurrent: false };
        let node = Node { next: NIL, flags, link: None, queued_at: Nanos(0) };
        Queue {
            nodes: vec![node; works as usize],
            lists: [List { head: NIL, tail: NIL, len: 0 }; 2],
            hash_tail: [[NIL; BUCKETS]; 2],
            hash_len: [[0; BUCKETS]; 2],
            busy: 0,
        }
    }

    /// Defines a work, before it is queued or linked to.
    pub fn define(&mut self, work: WorkId, flags: Flags, link: Option<WorkId>) {
        self.nodes[work.index()] = Node { next: NIL, flags, link, queued_at: Nanos(0) };
    }

    /// How the work is queued.
    #[must_use]
    #[inline]
    pub fn flags(&self, work: WorkId) -> Flags {
        self.nodes[work.index()].flags
    }

    /// Takes the work that is linked behind this one.
    pub fn take_link(&mut self, work: WorkId) -> Option<WorkId> {
        self.nodes[work.index()].link.take()
    }

    /// Queues a work at `now`: behind the last of its bucket, or at the end.
    pub fn insert(&mut self, work: WorkId, now: Nanos) {
        let node = &mut self.nodes[work.index()];
        (node.next, node.queued_at) = (NIL, now);
        let flags = node.flags;
        let list = flags.account.index();
        self.lists[list].len += 1;
        let mut behind = self.lists[list].tail;
        if let Some(bucket) = flags.bucket {
            let tail = std::mem::replace(&mut self.hash_tail[list][usize::from(bucket)], work);
            self.hash_len[list][usize::from(bucket)] += 1;
            if tail != NIL {
                behind = tail;
            }
        }
        if behind == NIL {
            self.lists[list].head = work;
        } else {
            self.nodes[work.index()].next = self.nodes[behind.index()].next;
            self.nodes[behind.index()].next = work;
        }
        if self.lists[list].tail == behind {
            self.lists[list].tail = work;
        }
    }

    /// Takes the first work that may run: an unhashed one, or the whole run of a free bucket.
    /// Unhashed work thereby overtakes runs whose bucket is busy.
    pub fn pick(&mut self, account: Account) -> Pick {
        let list = account.index();
        let (mut before, mut at) = (NIL, self.lists[list].head);
        let mut seen_busy = false;
        while at != NIL {
            let Some(bucket) = self.flags(at).bucket else {
                self.cut(list, before, [at, at], 1);
                return Pick::Work(at);
            };
            let tail = self.hash_tail[list][usize::from(bucket)];
            if self.busy & (1 << bucket) == 0 {
                self.busy |= 1 << bucket;
                self.hash_tail[list][usize::from(bucket)] = NIL;
                let len = std::mem::take(&mut self.hash_len[list][usize::from(bucket)]);
                self.cut(list, before, [at, tail], len);
                return Pick::Work(at);
            }
            seen_busy = true;
            (before, at) = (tail, self.nodes[tail.index()].next);
        }
        if seen_busy { Pick::Stalled } else { Pick::Empty }
    }

    /// The next work of a run that was picked.
    #[must_use]
    #[inline]
    pub fn next_in_run(&self, work: WorkId) -> Option<WorkId> {
        let next = self.nodes[work.index()].next;
        (next != NIL).then_some(next)
    }

    /// Makes a bucket free for its next run.
    pub fn release(&mut self, bucket: u8) {
        self.busy &= !(1 << bucket);
    }

    /// Whether nothing is queued.
    #[must_use]
    #[inline]
    pub fn is_empty(&self, account: Account) -> bool {
        self.lists[account.index()].head == NIL
    }

    /// Queued works.
    #[must_use]
    pub fn len(&self, account: Account) -> u32 {
        self.lists[account.index()].len
    }

    /// Key of the first queued work.
    #[must_use]
    #[inline]
    pub fn head(&self, account: Account) -> Key {
        self.first(account).map_or(Key::NONE, |work| Key::of(self.flags(work).bucket))
    }

    /// How long the first queued work has waited at `now`, in nanoseconds; zero if there is none.
    #[must_use]
    pub fn head_age_ns(&self, account: Account, now: Nanos) -> u64 {
        self.first(account).map_or(0, |work| now.since(self.nodes[work.index()].queued_at))
    }

    /// The first queued work.
    #[must_use]
    #[inline]
    pub fn first(&self, account: Account) -> Option<WorkId> {
        let head = self.lists[account.index()].head;
        (head != NIL).then_some(head)
    }

    /// Takes a queued work out of the middle, for a cancellation; false if it is not queued.
    pub fn remove(&mut self, work: WorkId) -> bool {
        let Some(&Node { flags, .. }) = self.nodes.get(work.index()) else { return false };
        let list = flags.account.index();
        let (mut before, mut at) = (NIL, self.lists[list].head);
        while at != NIL && at != work {
            (before, at) = (at, self.nodes[at.index()].next);
        }
        if at == NIL {
            return false;
        }
        if let Some(bucket) = flags.bucket.map(usize::from) {
            self.hash_len[list][bucket] -= 1;
            if self.hash_tail[list][bucket] == work {
                // The one before becomes the tail only if it is of the same bucket.
                let same = before != NIL && self.flags(before).bucket == flags.bucket;
                self.hash_tail[list][bucket] = if same { before } else { NIL };
            }
        }
        self.cut(list, before, [work, work], 1);
        true
    }

    /// Removes `first..=last`, `len` works, from a list, `before` being the one in front of them;
    /// `last` then ends the run.
    fn cut(&mut self, list: usize, before: WorkId, [first, last]: [WorkId; 2], len: u32) {
        self.lists[list].len -= len;
        let after = self.nodes[last.index()].next;
        self.nodes[last.index()].next = NIL;
        if before == NIL {
            debug_assert_eq!(self.lists[list].head, first);
            self.lists[list].head = after;
        } else {
            self.nodes[before.index()].next = after;
        }
        if after == NIL {
            self.lists[list].tail = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(works: &[Option<u8>]) -> Queue {
        let mut queue = Queue::new(works.len() as u32);
        for (work, &bucket) in (0..).map(WorkId).zip(works) {
            let flags = Flags { account: Account::Bounded, bucket, concurrent: false };
            queue.define(work, flags, None);
            queue.insert(work, Nanos(0));
        }
        queue
    }

    fn run(queue: &mut Queue) -> Vec<u32> {
        let Pick::Work(first) = queue.pick(Account::Bounded) else { return Vec::new() };
        std::iter::successors(Some(first), |&work| queue.next_in_run(work)).map(|it| it.0).collect()
    }

    #[test]
    fn works_of_one_bucket_are_picked_as_one_run_in_the_order_they_came() {
        let mut queue = queue(&[Some(1), Some(2), Some(1), None, Some(2)]);
        assert_eq!(queue.len(Account::Bounded), 5);
        assert_eq!(run(&mut queue), [0, 2]);
        assert_eq!(queue.len(Account::Bounded), 3, "the whole run was taken");
        assert_eq!(run(&mut queue), [1, 4]);
        assert_eq!(run(&mut queue), [3]);
        assert_eq!(queue.len(Account::Bounded), 0);
        assert_eq!(queue.pick(Account::Bounded), Pick::Empty);
    }

    #[test]
    fn unhashed_work_overtakes_a_run_whose_bucket_is_busy() {
        let mut queue = queue(&[Some(1)]);
        assert_eq!(run(&mut queue), [0]);
        queue.insert(WorkId(0), Nanos(0));
        let flags = Flags { account: Account::Bounded, bucket: None, concurrent: false };
        queue.nodes.push(Node { next: NIL, flags, link: None, queued_at: Nanos(0) });
        queue.insert(WorkId(1), Nanos(0));
        assert_eq!(run(&mut queue), [1]);
        assert_eq!(queue.pick(Account::Bounded), Pick::Stalled);
        queue.release(1);
        assert_eq!(run(&mut queue), [0]);
    }

    #[test]
    fn works_that_come_while_their_bucket_is_busy_form_a_run_of_their_own() {
        let mut queue = queue(&[Some(7), Some(7), Some(7)]);
        assert_eq!(run(&mut queue), [0, 1, 2]);
        queue.insert(WorkId(0), Nanos(0));
        queue.insert(WorkId(2), Nanos(0));
        assert_eq!(queue.pick(Account::Bounded), Pick::Stalled);
        queue.release(7);
        assert_eq!(run(&mut queue), [0, 2]);
    }

    #[test]
    fn a_cancelled_tail_hands_the_tail_to_the_one_before_it_only_in_the_same_bucket() {
        let mut queue = queue(&[Some(3), Some(3), Some(4)]);
        assert!(queue.remove(WorkId(1)));
        queue.insert(WorkId(1), Nanos(0));
        assert_eq!(run(&mut queue), [0, 1]);
        assert!(queue.remove(WorkId(2)));
        assert!(!queue.remove(WorkId(2)));
        assert_eq!(queue.hash_tail[0][4], NIL);
        assert_eq!(queue.pick(Account::Bounded), Pick::Empty);
        queue.insert(WorkId(2), Nanos(0));
        assert_eq!(run(&mut queue), [2]);
    }

    #[test]
    fn the_head_is_as_old_as_its_time_in_the_queue() {
        let mut queue = queue(&[]);
        let flags = Flags { account: Account::Bounded, bucket: None, concurrent: false };
        queue.nodes = vec![Node { next: NIL, flags, link: None, queued_at: Nanos(0) }; 2];
        assert_eq!(queue.head_age_ns(Account::Bounded, Nanos(9)), 0);
        queue.insert(WorkId(0), Nanos(10));
        queue.insert(WorkId(1), Nanos(40));
        assert_eq!(queue.head_age_ns(Account::Bounded, Nanos(50)), 40);
        assert_eq!(run(&mut queue), [0]);
        assert_eq!(queue.head_age_ns(Account::Bounded, Nanos(50)), 10);
    }

    #[test]
    fn the_accounts_have_lists_of_their_own() {
        let mut queue = queue(&[None]);
        let flags = Flags { account: Account::Unbounded, bucket: None, concurrent: false };
        queue.nodes.push(Node { next: NIL, flags, link: None, queued_at: Nanos(0) });
        queue.insert(WorkId(1), Nanos(0));
        assert_eq!(queue.pick(Account::Unbounded), Pick::Work(WorkId(1)));
        assert_eq!(queue.pick(Account::Unbounded), Pick::Empty);
        assert_eq!(queue.head(Account::Bounded), Key::UNHASHED);
    }

    #[test]
    fn works_of_one_bucket_in_both_accounts_stay_in_their_lists() {
        let mut queue = Queue::new(3);
        for (work, account) in
            [(0, Account::Bounded), (1, Account::Unbounded), (2, Account::Bounded)]
                .map(|(id, account)| (WorkId(id), account))
        {
            queue.define(work, Flags { account, bucket: Some(1), concurrent: false }, None);
            queue.insert(work, Nanos(0));
        }
        assert_eq!(run(&mut queue), [0, 2]);
        assert_eq!(queue.pick(Account::Unbounded), Pick::Stalled);
        queue.release(1);
        assert_eq!(queue.pick(Account::Unbounded), Pick::Work(WorkId(1)));
    }
}
