//! The work lists: FIFO per account, with works of one bucket kept together as runs.

use super::work::{Account, BUCKETS, Flags, Key, WorkId};

/// No work: the end of a list.
const NIL: WorkId = WorkId::MAX;

/// A work in the table.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Next in the list, or in the run once it was cut out.
    next: WorkId,
    flags: Flags,
    /// The work that starts when this one succeeded.
    link: Option<WorkId>,
}

/// A singly linked list of works.
#[derive(Clone, Copy, Debug)]
struct List {
    head: WorkId,
    tail: WorkId,
}

/// What a look at the list found.
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
    /// Buckets whose run is in some worker's hands.
    busy: u64,
}

impl Queue {
    /// Room for works `0..works`.
    #[must_use]
    pub fn new(works: u32) -> Queue {
        let flags = Flags { account: Account::Bounded, bucket: None, concurrent: false };
        Queue {
            nodes: vec![Node { next: NIL, flags, link: None }; works as usize],
            lists: [List { head: NIL, tail: NIL }; 2],
            hash_tail: [[NIL; BUCKETS]; 2],
            busy: 0,
        }
    }

    /// Says what a work is, before it is queued or linked to.
    pub fn define(&mut self, work: WorkId, flags: Flags, link: Option<WorkId>) {
        self.nodes[work as usize] = Node { next: NIL, flags, link };
    }

    /// How the work is to be queued.
    #[must_use]
    pub fn flags(&self, work: WorkId) -> Flags {
        self.nodes[work as usize].flags
    }

    /// Takes the work that is linked behind this one.
    pub fn take_link(&mut self, work: WorkId) -> Option<WorkId> {
        self.nodes[work as usize].link.take()
    }

    /// Queues a work: behind the last of its bucket, or at the end.
    pub fn insert(&mut self, work: WorkId) {
        let flags = self.flags(work);
        let list = flags.account.index();
        self.nodes[work as usize].next = NIL;
        let mut behind = self.lists[list].tail;
        if let Some(bucket) = flags.bucket {
            let tail = std::mem::replace(&mut self.hash_tail[list][usize::from(bucket)], work);
            if tail != NIL {
                behind = tail;
            }
        }
        if behind == NIL {
            self.lists[list].head = work;
        } else {
            self.nodes[work as usize].next = self.nodes[behind as usize].next;
            self.nodes[behind as usize].next = work;
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
                self.cut(list, before, at, at);
                return Pick::Work(at);
            };
            let tail = self.hash_tail[list][usize::from(bucket)];
            if self.busy & (1 << bucket) == 0 {
                self.busy |= 1 << bucket;
                self.hash_tail[list][usize::from(bucket)] = NIL;
                self.cut(list, before, at, tail);
                return Pick::Work(at);
            }
            seen_busy = true;
            (before, at) = (tail, self.nodes[tail as usize].next);
        }
        if seen_busy { Pick::Stalled } else { Pick::Empty }
    }

    /// The next work of a run that was picked.
    #[must_use]
    pub fn next_in_run(&self, work: WorkId) -> Option<WorkId> {
        let next = self.nodes[work as usize].next;
        (next != NIL).then_some(next)
    }

    /// Lets the next run of a bucket go.
    pub fn release(&mut self, bucket: u8) {
        self.busy &= !(1 << bucket);
    }

    /// Whether nothing is queued.
    #[must_use]
    pub fn is_empty(&self, account: Account) -> bool {
        self.lists[account.index()].head == NIL
    }

    /// Key of the first queued work.
    #[must_use]
    pub fn head(&self, account: Account) -> Key {
        match self.lists[account.index()].head {
            NIL => Key::NONE,
            work => Key::of(self.flags(work).bucket),
        }
    }

    /// The first queued work.
    #[must_use]
    pub fn first(&self, account: Account) -> Option<WorkId> {
        let head = self.lists[account.index()].head;
        (head != NIL).then_some(head)
    }

    /// Takes a queued work out of the middle, for a cancellation; false where it is not queued.
    pub fn remove(&mut self, work: WorkId) -> bool {
        let flags = self.flags(work);
        let list = flags.account.index();
        let (mut before, mut at) = (NIL, self.lists[list].head);
        while at != NIL && at != work {
            (before, at) = (at, self.nodes[at as usize].next);
        }
        if at == NIL {
            return false;
        }
        if let Some(bucket) = flags.bucket
            && self.hash_tail[list][usize::from(bucket)] == work
        {
            // The one before takes over as the tail only if it is of the same bucket.
            let same = before != NIL && self.flags(before).bucket == Some(bucket);
            self.hash_tail[list][usize::from(bucket)] = if same { before } else { NIL };
        }
        self.cut(list, before, work, work);
        true
    }

    /// Takes `first..=last` out of a list, `before` being the one in front; `last` ends the run.
    fn cut(&mut self, list: usize, before: WorkId, first: WorkId, last: WorkId) {
        let after = self.nodes[last as usize].next;
        self.nodes[last as usize].next = NIL;
        if before == NIL {
            debug_assert_eq!(self.lists[list].head, first);
            self.lists[list].head = after;
        } else {
            self.nodes[before as usize].next = after;
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
        for (work, &bucket) in works.iter().enumerate() {
            let flags = Flags { account: Account::Bounded, bucket, concurrent: false };
            queue.define(work as WorkId, flags, None);
            queue.insert(work as WorkId);
        }
        queue
    }

    fn run(queue: &mut Queue) -> Vec<WorkId> {
        let Pick::Work(first) = queue.pick(Account::Bounded) else { return Vec::new() };
        std::iter::successors(Some(first), |&work| queue.next_in_run(work)).collect()
    }

    #[test]
    fn works_of_one_bucket_are_picked_as_one_run_in_the_order_they_came() {
        let mut queue = queue(&[Some(1), Some(2), Some(1), None, Some(2)]);
        assert_eq!(run(&mut queue), [0, 2]);
        assert_eq!(run(&mut queue), [1, 4]);
        assert_eq!(run(&mut queue), [3]);
        assert_eq!(queue.pick(Account::Bounded), Pick::Empty);
    }

    #[test]
    fn unhashed_work_overtakes_a_run_whose_bucket_is_busy() {
        let mut queue = queue(&[Some(1)]);
        assert_eq!(run(&mut queue), [0]);
        queue.insert(0);
        let flags = Flags { account: Account::Bounded, bucket: None, concurrent: false };
        queue.nodes.push(Node { next: NIL, flags, link: None });
        queue.insert(1);
        assert_eq!(run(&mut queue), [1]);
        assert_eq!(queue.pick(Account::Bounded), Pick::Stalled);
        queue.release(1);
        assert_eq!(run(&mut queue), [0]);
    }

    #[test]
    fn works_that_come_while_their_bucket_is_busy_form_a_run_of_their_own() {
        let mut queue = queue(&[Some(7), Some(7), Some(7)]);
        assert_eq!(run(&mut queue), [0, 1, 2]);
        queue.insert(0);
        queue.insert(2);
        assert_eq!(queue.pick(Account::Bounded), Pick::Stalled);
        queue.release(7);
        assert_eq!(run(&mut queue), [0, 2]);
    }

    #[test]
    fn a_cancelled_tail_hands_the_tail_to_the_one_before_it_only_in_the_same_bucket() {
        let mut queue = queue(&[Some(3), Some(3), Some(4)]);
        assert!(queue.remove(1));
        queue.insert(1);
        assert_eq!(run(&mut queue), [0, 1]);
        assert!(queue.remove(2));
        assert!(!queue.remove(2));
        assert_eq!(queue.hash_tail[0][4], NIL);
        assert_eq!(queue.pick(Account::Bounded), Pick::Empty);
        queue.insert(2);
        assert_eq!(run(&mut queue), [2]);
    }

    #[test]
    fn the_accounts_have_lists_of_their_own() {
        let mut queue = queue(&[None]);
        let flags = Flags { account: Account::Unbounded, bucket: None, concurrent: false };
        queue.nodes.push(Node { next: NIL, flags, link: None });
        queue.insert(1);
        assert_eq!(queue.pick(Account::Unbounded), Pick::Work(1));
        assert_eq!(queue.pick(Account::Unbounded), Pick::Empty);
        assert_eq!(queue.head(Account::Bounded), Key::UNHASHED);
    }

    #[test]
    fn works_of_one_bucket_in_both_accounts_stay_in_their_lists() {
        let mut queue = Queue::new(3);
        for (work, account) in
            [(0, Account::Bounded), (1, Account::Unbounded), (2, Account::Bounded)]
        {
            queue.define(work, Flags { account, bucket: Some(1), concurrent: false }, None);
            queue.insert(work);
        }
        assert_eq!(run(&mut queue), [0, 2]);
        assert_eq!(queue.pick(Account::Unbounded), Pick::Stalled);
        queue.release(1);
        assert_eq!(queue.pick(Account::Unbounded), Pick::Work(1));
    }
}
