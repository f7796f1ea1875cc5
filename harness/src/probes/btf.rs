//! Where the kernel's structs have their members, from the kernel's own BTF.
//!
//! The format: a header, records of types, and strings. A type's number is its place among the
//! records, from 1.

use std::fs;
use std::io;

/// The kernel's type information.
pub(super) struct Btf {
    types: Vec<u8>,
    strings: Vec<u8>,
    /// Where each type begins, by its number. Type 0 has no record: its place is behind the last.
    places: Vec<usize>,
}

/// Where the kernel shows it.
const PATH: &str = "/sys/kernel/btf/vmlinux";

const MAGIC: u16 = 0xeb9f;
/// Length of what all types begin with: name, kind and count, size.
const TYPE_BYTES: usize = 12;
/// Length of a member: name, type, place.
const MEMBER_BYTES: usize = 12;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const TYPEDEF: u32 = 8;
/// The type of a function, without its name.
const FUNCTION: u32 = 13;
/// Nesting of structs and unions without a name, at most.
const DEPTH_MAX: u32 = 8;
/// Members that are looked at to find one; `task_struct` has some 400. Parts without a name may lead
/// to each other, and then to more than could ever be looked at.
const MEMBERS_MAX: u32 = 1 << 16;

impl Btf {
    /// That of the running kernel.
    ///
    /// # Errors
    ///
    /// If the kernel shows none, as one that was built without `CONFIG_DEBUG_INFO_BTF`, and
    /// if it is not understood.
    pub(super) fn of_kernel() -> io::Result<Btf> {
        Btf::parse(&fs::read(PATH)?).ok_or_else(|| io::Error::other("the kernel's BTF is unknown"))
    }

    /// Reads it; `None` if it is not of the known version, or not whole.
    #[must_use]
    pub(super) fn parse(bytes: &[u8]) -> Option<Btf> {
        if u16::from_ne_bytes(*bytes.first_chunk()?) != MAGIC || bytes.get(2) != Some(&1) {
            return None;
        }
        let header = [4, 8, 12, 16, 20].map(|at| number(bytes, at));
        let [
            Some(header_bytes),
            Some(types),
            Some(types_bytes),
            Some(strings),
            Some(strings_bytes),
        ] = header
        else {
            return None;
        };
        let section = |from: u32, length: u32| {
            let from = (header_bytes as usize).checked_add(from as usize)?;
            bytes.get(from..from.checked_add(length as usize)?).map(<[u8]>::to_vec)
        };
        let (types, strings) = (section(types, types_bytes)?, section(strings, strings_bytes)?);
        let mut places = vec![types.len()];
        let mut at = 0;
        while at < types.len() {
            places.push(at);
            at += TYPE_BYTES + rest_bytes(number(&types, at + 4)?)?;
        }
        Some(Btf { types, strings, places })
    }

    /// Offset of a struct's member, in bytes; `None` if there is no such struct, or no such
    /// member in it.
    #[must_use]
    pub(super) fn offset(&self, structure: &str, member: &str) -> Option<u32> {
        let mut left = MEMBERS_MAX;
        let bits = |at| self.bits(at, member, DEPTH_MAX, &mut left);
        Some(self.named(STRUCT, structure).filter_map(bits).next()? / 8)
    }

    /// Size of a struct in bytes.
    #[must_use]
    pub(super) fn size(&self, structure: &str) -> Option<u32> {
        number(&self.types, self.named(STRUCT, structure).next()? + 8)
    }

    /// How many arguments a trace point passes to a program; `None` if it is not known.
    #[must_use]
    pub(super) fn arguments(&self, trace_point: &str) -> Option<usize> {
        let typedef = self.named(TYPEDEF, &format!("btf_trace_{trace_point}")).next()?;
        let function = self.of(self.of(typedef)?)?;
        let info = number(&self.types, function + 4)?;
        // The first is the probe's own data.
        (kind(info) == FUNCTION).then(|| count(info).checked_sub(1))?
    }

    /// Where the types of a kind and a name begin.
    fn named(&self, wanted: u32, name: &str) -> impl Iterator<Item = usize> {
        self.places.iter().skip(1).copied().filter(move |&at| {
            number(&self.types, at + 4).is_some_and(|info| kind(info) == wanted)
                && self.is(number(&self.types, at), name)
        })
    }

    /// Where the type begins that the one at `at` refers to.
    fn of(&self, at: usize) -> Option<usize> {
        self.places.get(number(&self.types, at + 8)? as usize).copied()
    }

    /// Place of a member within the struct or union at `at`, in bits.
    fn bits(&self, at: usize, member: &str, depth: u32, left: &mut u32) -> Option<u32> {
        let info = number(&self.types, at + 4)?;
        let depth = depth.checked_sub(1).filter(|_| matches!(kind(info), STRUCT | UNION))?;
        // Of bit fields the upper byte is their length.
        let mask = if info >> 31 == 0 { u32::MAX } else { 0x00ff_ffff };
        let members = (0..count(info)).map(|nth| at + TYPE_BYTES + nth * MEMBER_BYTES);
        members.into_iter().find_map(|at| {
            *left = left.checked_sub(1)?;
            let [name, of, place] = [0, 4, 8].map(|field| number(&self.types, at + field));
            let place = place? & mask;
            if name? != 0 {
                return self.is(name, member).then_some(place);
            }
            let inner = *self.places.get(of? as usize)?;
            place.checked_add(self.bits(inner, member, depth, left)?)
        })
    }

    /// Whether the string at this place is `text`.
    fn is(&self, place: Option<u32>, text: &str) -> bool {
        let string = place.and_then(|place| self.strings.get(place as usize..));
        let rest = string.and_then(|string| string.strip_prefix(text.as_bytes()));
        rest.is_some_and(|rest| rest.first() == Some(&0))
    }
}

fn kind(info: u32) -> u32 {
    info >> 24 & 0x1f
}

/// How many members, values or parameters follow.
fn count(info: u32) -> usize {
    (info & 0xffff) as usize
}

/// Length of what follows a type, by its kind; `None` for kinds that are not known.
fn rest_bytes(info: u32) -> Option<usize> {
    Some(match kind(info) {
        2 | 7..=12 | 16 | 18 => 0,
        1 | 14 | 17 => 4,
        3 => 12,
        6 | 13 => 8 * count(info),
        STRUCT | UNION | 15 | 19 => 12 * count(info),
        _ => return None,
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BTF of these types.
    fn of(types: &[&[u32]], strings: &[u8]) -> Vec<u8> {
        let types: Vec<u8> = types.concat().iter().flat_map(|word| word.to_ne_bytes()).collect();
        let (types_bytes, strings_bytes) = (types.len() as u32, strings.len() as u32);
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        for word in [24, 0, types_bytes, types_bytes, strings_bytes] {
            bytes.extend(word.to_ne_bytes());
        }
        [bytes, types, strings.to_vec()].concat()
    }

    /// `struct a { int x; union { int y; struct { int z; int flag:3; }; }; };`, after a pointer.
    fn example() -> Vec<u8> {
        let strings = b"\0a\0x\0y\0z\0flag\0";
        let header = |kind: u32, count: u32| kind << 24 | count;
        let bit_fields = 1 << 31;
        let types: [&[u32]; 5] = [
            &[0, header(2, 0), 0],
            &[0, header(1, 0), 4, 32],
            &[0, header(STRUCT, 2) | bit_fields, 8, 7, 2, 0, 9, 2, 3 << 24 | 32],
            &[0, header(UNION, 2), 8, 5, 2, 0, 0, 3, 0],
            &[1, header(STRUCT, 2), 12, 3, 2, 0, 0, 4, 32],
        ];
        of(&types, strings)
    }

    #[test]
    fn members_are_found_by_name_also_in_parts_without_one() {
        let btf = Btf::parse(&example()).expect("it is whole");
        let offsets = ["x", "y", "z", "flag", "a", ""].map(|member| btf.offset("a", member));
        assert_eq!(offsets, [Some(0), Some(4), Some(4), Some(8), None, None]);
        assert_eq!(btf.offset("b", "x"), None);
        assert_eq!([btf.size("a"), btf.size("b")], [Some(12), None]);
    }

    #[test]
    fn arguments_of_a_trace_point_are_counted_without_the_probes_own() {
        let types: [&[u32]; 3] = [
            &[1, TYPEDEF << 24, 2],
            &[0, 2 << 24, 3],
            &[0, FUNCTION << 24 | 3, 0, 0, 2, 0, 2, 0, 2],
        ];
        let btf = Btf::parse(&of(&types, b"\0btf_trace_a\0")).expect("it is whole");
        assert_eq!([btf.arguments("a"), btf.arguments("b")], [Some(2), None]);
    }

    #[test]
    fn a_part_without_a_type_has_no_members() {
        let types: [&[u32]; 1] = [&[1, STRUCT << 24 | 2, 8, 0, 0, 0, 3, 0, 32]];
        let btf = Btf::parse(&of(&types, b"\0a\0x\0")).expect("it is whole");
        assert_eq!([btf.offset("a", "x"), btf.offset("a", "y")], [Some(4), None]);
    }

    #[test]
    fn parts_that_hold_each_other_many_times_are_given_up() {
        let mut a = vec![1, STRUCT << 24 | 100, 8];
        a.extend([0, 1, 0].repeat(100));
        let btf = Btf::parse(&of(&[&a], b"\0a\0x\0")).expect("it is whole");
        assert_eq!(btf.offset("a", "x"), None);
    }

    #[test]
    fn truncated_or_changed_btf_is_refused_and_nothing_panics() {
        let whole = example();
        for length in 0..whole.len() {
            assert!(Btf::parse(&whole[..length]).is_none(), "{length}");
        }
        for (at, flip) in (0..whole.len()).flat_map(|at| [1, 0x80, 0xff].map(|flip| (at, flip))) {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            let _ = Btf::parse(&bytes).map(|btf| btf.offset("a", "z"));
        }
    }

    #[test]
    fn the_running_kernels_btf_is_read_if_it_has_one() {
        let Ok(btf) = Btf::of_kernel() else { return };
        assert!(btf.offset("task_struct", "pid").is_some_and(|offset| offset > 0));
    }
}
