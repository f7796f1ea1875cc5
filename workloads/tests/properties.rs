//! Properties of streams, blocks and the ledger, on plans and interleavings drawn at random.

use std::collections::{HashMap, HashSet};

use iowq_workloads::block::{Damage, fill, read_number};
use iowq_workloads::{Expect, Ledger, Op, OpKind, OpSize, Order, Plan, Stream};
use proptest::prelude::*;

/// A small plan: files of few blocks, so that they are visited many times over.
fn plan(files: u32, blocks: u64, random: bool, writes_per_fsync: u32, linked: bool) -> Plan {
    let order = if random { "random" } else { "sequential" };
    let linked = linked && writes_per_fsync > 0;
    let text = format!(
        "[files]\ncount = {files}\norder = \"{order}\"\n\
         [mix]\nwrites_per_fsync = {writes_per_fsync}\nlinked = {linked}\n\
         [arrival]\npattern = \"poisson\"\nper_s = 1000"
    );
    let mut plan = Plan::parse("small", "small.toml", &text).expect("a valid spec");
    plan.file_blocks = blocks;
    plan
}

fn plans() -> impl Strategy<Value = Plan> {
    (1u32..9, 1u64..70, any::<bool>(), 0u32..6, any::<bool>()).prop_map(
        |(files, blocks, random, writes, linked)| plan(files, blocks, random, writes, linked),
    )
}

/// A plan with several sizes, of 1 to 9 blocks of 512 bytes.
fn plans_of_sizes() -> impl Strategy<Value = Plan> {
    let sizes = prop::collection::btree_map(1u64..10, 1u32..6, 2..5);
    let order = prop::sample::select(vec!["sequential", "random"]);
    (1u32..5, 20u64..90, sizes, order, any::<bool>()).prop_map(
        |(files, blocks, sizes, order, log)| {
            let size =
                |(blocks, weight)| format!("{{ bytes = {}, weight = {weight} }}", blocks * 512);
            let sizes: Vec<String> = sizes.into_iter().map(size).collect();
            let text = format!(
                "[files]\ncount = {files}\norder = \"{order}\"\nblock_bytes = [{}]\n\
                 [mix]\nread = 1\nwrites_per_fsync = 3\n{}",
                sizes.join(", "),
                if log { "[log]" } else { "" },
            );
            let mut plan = Plan::parse("sizes", "sizes.toml", &text).expect("a valid spec");
            plan.file_blocks = blocks;
            plan
        },
    )
}

/// What an op leaves on a disk that is a number for each block of a file.
fn write(disk: &mut HashMap<(u32, u64), u64>, op: &Op) {
    disk.extend((op.block..).take(op.blocks as usize).map(|block| ((op.file, block), op.number)));
}

proptest! {
    #[test]
    fn ops_of_several_sizes_lie_in_their_files_and_come_by_weight(
        plan in plans_of_sizes(), seed: u64,
    ) {
        let ops: Vec<Op> = Stream::new(&plan, seed).take(12_000).collect();
        let moves = |op: &&Op| matches!(op.kind, OpKind::Write | OpKind::Read);
        let all = ops.iter().filter(moves).count() as f64;
        let weights: u32 = plan.sizes.iter().map(|size| size.weight).sum();
        for op in &ops {
            prop_assert!(op.block + u64::from(op.blocks) <= plan.file_blocks, "{op:?}");
        }
        for size in &plan.sizes {
            let found = ops.iter().filter(moves).filter(|op| op.blocks == size.blocks).count();
            let (share, wanted) = (found as f64 / all, f64::from(size.weight) / f64::from(weights));
            prop_assert!((share - wanted).abs() < 0.03, "{} blocks: {share} of {wanted}", size.blocks);
        }
        let again: Vec<Op> = Stream::new(&plan, seed).take(12_000).collect();
        prop_assert_eq!(ops, again);
    }

    #[test]
    fn in_sequence_sizes_follow_each_other_and_at_random_each_has_its_own_places(
        plan in plans_of_sizes(), seed: u64,
    ) {
        let in_sequence = plan.mix.order == Order::Sequential;
        let mut next: HashMap<u32, u64> = HashMap::new();
        let mut seen: HashMap<(u32, u32), Vec<u64>> = HashMap::new();
        for op in Stream::new(&plan, seed).take(3000).filter(|op| op.kind == OpKind::Write) {
            let end = op.block + u64::from(op.blocks);
            if in_sequence || op.file < plan.first_of_mix() {
                let last = next.insert(op.file, end).unwrap_or(0);
                let fits = last + u64::from(op.blocks) <= plan.file_blocks;
                prop_assert_eq!(op.block, if fits { last } else { 0 });
            } else {
                prop_assert_eq!(op.block % u64::from(op.blocks), 0);
                seen.entry((op.file, op.blocks)).or_default().push(op.block);
            }
        }
        for ((_, blocks), places) in seen {
            for cycle in places.windows((plan.file_blocks / u64::from(blocks)) as usize) {
                prop_assert_eq!(cycle.iter().collect::<HashSet<_>>().len(), cycle.len());
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_ops_and_a_clone_continues_alike(
        plan in plans(), seed: u64, prefix in 0usize..200,
    ) {
        let mut one = Stream::new(&plan, seed);
        let two: Vec<Op> = Stream::new(&plan, seed).take(prefix + 100).collect();
        prop_assert_eq!(&one.by_ref().take(prefix).collect::<Vec<_>>(), &two[..prefix]);
        prop_assert_eq!(&one.clone().take(100).collect::<Vec<_>>(), &two[prefix..]);
        prop_assert!(two.iter().enumerate().all(|(number, op)| op.number == number as u64));
    }

    #[test]
    fn another_seed_gives_other_arrivals(plan in plans(), seed: u64) {
        let one: Vec<Op> = Stream::new(&plan, seed).take(50).collect();
        let two: Vec<Op> = Stream::new(&plan, seed ^ 1).take(50).collect();
        prop_assert_ne!(one, two);
    }

    #[test]
    fn no_block_is_written_again_before_all_others_of_its_file(plan in plans(), seed: u64) {
        let mut visits: HashMap<u32, Vec<u64>> = HashMap::new();
        for op in Stream::new(&plan, seed).take(2000).filter(|op| op.kind == OpKind::Write) {
            prop_assert!(op.block < plan.file_blocks);
            visits.entry(op.file).or_default().push(op.block);
        }
        for blocks in visits.values() {
            for cycle in blocks.windows(plan.file_blocks as usize) {
                prop_assert_eq!(cycle.iter().collect::<HashSet<_>>().len(), cycle.len());
            }
        }
    }

    #[test]
    fn each_file_has_its_fsync_right_after_its_writes(plan in plans(), seed: u64) {
        let ops: Vec<Op> = Stream::new(&plan, seed).take(1000).collect();
        // File n starts as if it had had n writes, so that the fsyncs are spread evenly.
        let mut writes: Vec<u32> =
            (0..plan.files).map(|file| file.checked_rem(plan.mix.writes_per_fsync).unwrap_or(0)).collect();
        for (op, next) in ops.iter().zip(&ops[1..]) {
            let count = &mut writes[op.file as usize];
            if op.kind == OpKind::Write {
                *count += 1;
                let due = *count == plan.mix.writes_per_fsync;
                prop_assert_eq!(due, next.kind == OpKind::Fsync);
                prop_assert_eq!(op.linked, due && plan.mix.linked);
            } else {
                prop_assert_eq!((op.kind, *count), (OpKind::Fsync, plan.mix.writes_per_fsync));
                *count = 0;
            }
        }
    }

    #[test]
    fn intended_times_never_go_back_but_to_the_head_of_a_linked_pair(plan in plans(), seed: u64) {
        let ops: Vec<Op> = Stream::new(&plan, seed).take(1000).collect();
        for pair in ops.windows(2) {
            if pair[0].linked {
                prop_assert_eq!(pair[0].intended_ns, pair[1].intended_ns);
            } else {
                prop_assert!(pair[0].intended_ns <= pair[1].intended_ns);
            }
        }
    }

    #[test]
    fn kinds_come_in_the_shares_of_their_weights(
        write in 1u32..5, read in 0u32..5, fallocate in 0u32..5, nop in 0u32..5, seed: u64,
    ) {
        let text = format!(
            "[mix]\nwrite = {write}\nread = {read}\nfallocate = {fallocate}\nnop = {nop}"
        );
        let plan = Plan::parse("mix", "mix.toml", &text).expect("a valid spec");
        let mut counts = [0u32; 5];
        for op in Stream::new(&plan, seed).take(20_000) {
            counts[op.kind.index()] += 1;
        }
        let total = write + read + fallocate + nop;
        for (kind, weight) in OpKind::ALL.iter().zip([write, 0, read, fallocate, nop]) {
            let share = f64::from(counts[kind.index()]) / 20_000.0;
            let wanted = f64::from(weight) / f64::from(total);
            prop_assert!((share - wanted).abs() < 0.03, "{}: {share} of {wanted}", kind.name());
        }
    }

    #[test]
    fn kinds_that_neither_read_nor_write_come_in_their_shares_and_touch_no_block_of_the_ledger(
        openat in 1u32..5, unlink in 1u32..5, truncate in 1u32..5, seed: u64,
    ) {
        let text =
            format!("[mix]\nwrite = 0\nopenat = {openat}\nunlink = {unlink}\ntruncate = {truncate}");
        let plan = Plan::parse("mix", "mix.toml", &text).expect("a valid spec");
        let (mut counts, mut ledger) = ([0u32; OpKind::ALL.len()], Ledger::new(&plan));
        for op in Stream::new(&plan, seed).take(20_000) {
            counts[op.kind.index()] += 1;
            ledger.submitted(&op);
            ledger.completed(&op, true);
            prop_assert_eq!(ledger.expect(op.file, op.block), Expect::Untouched);
        }
        let total = f64::from(openat + unlink + truncate);
        let weights =
            [(OpKind::Openat, openat), (OpKind::Unlink, unlink), (OpKind::Truncate, truncate)];
        for (kind, weight) in weights {
            let share = f64::from(counts[kind.index()]) / 20_000.0;
            let wanted = f64::from(weight) / total;
            prop_assert!((share - wanted).abs() < 0.03, "{}: {share} of {wanted}", kind.name());
        }
    }

    #[test]
    fn a_block_reads_back_as_the_op_that_wrote_it(
        seed: u64, file: u32, block: u64, number: u64, length in 512usize..5000,
    ) {
        let mut bytes = vec![1; length];
        fill(&mut bytes, seed, file, block, number);
        prop_assert_eq!(read_number(&bytes, seed, file, block), Ok(number));
    }

    #[test]
    fn any_changed_byte_is_noticed(
        seed: u64, number: u64, at in 0usize..4099, change in 1u8..,
    ) {
        let mut bytes = vec![0; 4099];
        fill(&mut bytes, seed, 3, 5, number);
        bytes[at] ^= change;
        let damage = read_number(&bytes, seed, 3, 5).expect_err("a byte differs");
        if (32..4088).contains(&at) || 4096 <= at {
            prop_assert_eq!(damage, Damage::Body { number, offset: at });
        }
    }

    #[test]
    fn skewed_ops_lie_in_their_files_and_follow_the_seed(
        order in prop::sample::select(vec!["zipf:1.1", "pareto:0.2", "normal:15"]),
        sizes in any::<bool>(), blocks in 4u64..200, seed: u64,
    ) {
        let size = if sizes { "[{ bytes = 4096 }, { bytes = 16384 }]" } else { "4096" };
        let text = format!(
            "[files]\ncount = 3\norder = \"{order}\"\nblock_bytes = {size}\n[mix]\nread = 1\n[log]"
        );
        let mut plan = Plan::parse("skewed", "skewed.toml", &text).expect("a valid spec");
        plan.file_blocks = blocks;
        let ops: Vec<Op> = Stream::new(&plan, seed).take(2000).collect();
        for op in &ops {
            prop_assert!(op.block + u64::from(op.blocks) <= blocks, "{op:?}");
        }
        prop_assert_eq!(&Stream::new(&plan, seed).take(2000).collect::<Vec<_>>(), &ops);
        let other: Vec<Op> = Stream::new(&plan, seed ^ 1).take(2000).collect();
        prop_assert_ne!(&other, &ops);
    }

    #[test]
    fn the_ledger_never_excludes_what_the_file_holds(
        steps in prop::collection::vec((0usize..8, any::<bool>(), 0u8..8), 1..400), seed: u64,
        shape in prop::sample::select(vec!["random", "zipf:2", "sizes"]),
    ) {
        // A disk of few blocks, up to eight writes in flight. A write reaches the disk at some
        // moment between its submission and its completion; a failed one may or may not.
        let mut plan = plan(2, 3, true, 0, false);
        match shape {
            "sizes" => {
                plan.sizes = [1, 2, 3].map(|blocks| OpSize { blocks, weight: 1 }).to_vec();
            }
            order => plan.mix.order = order.parse().expect("an order"),
        }
        let mut stream = Stream::new(&plan, seed);
        let mut ledger = Ledger::new(&plan);
        let mut disk: HashMap<(u32, u64), u64> = HashMap::new();
        let mut in_flight: Vec<(Op, bool)> = Vec::new();
        for (pick, submit, luck) in steps {
            if submit && in_flight.len() < 8 {
                let op = stream.next().expect("a stream has no end");
                ledger.submitted(&op);
                in_flight.push((op, false));
            } else if !in_flight.is_empty() {
                let place = pick % in_flight.len();
                let (op, on_disk) = in_flight[place];
                if !on_disk && luck > 0 {
                    write(&mut disk, &op);
                }
                in_flight[place].1 = luck > 0;
                if luck < 4 {
                    in_flight.remove(place);
                    ledger.completed(&op, luck > 0);
                }
            }
        }
        for (op, on_disk) in in_flight {
            if !on_disk {
                write(&mut disk, &op);
            }
            ledger.completed(&op, true);
        }
        for file in 0..2 {
            for block in 0..3 {
                let held = disk.get(&(file, block)).copied();
                let allowed = match ledger.expect(file, block) {
                    Expect::Untouched => held.is_none(),
                    Expect::Exactly(number) => held == Some(number),
                    Expect::OneOf(first, last) => {
                        held.is_some_and(|number| (first..=last).contains(&number))
                    }
                    Expect::Unknown => true,
                };
                prop_assert!(allowed, "holds {held:?}, expected {:?}", ledger.expect(file, block));
            }
        }
    }
}
