//! The processors, from the text of `/proc/cpuinfo` and of lists in `/sys`.

/// Model name; empty if the text has none. Not every architecture gives it the same key.
pub(super) fn model(cpuinfo: &str) -> String {
    let keys = ["model name", "Model Name", "cpu model", "uarch", "cpu", "Processor"];
    keys.iter().find_map(|key| value(cpuinfo, key)).unwrap_or_default().to_owned()
}

/// How many a list such as `0-3,8` names; none if it is no such list.
pub(super) fn count_listed(list: &str) -> Option<u32> {
    let mut count = 0_u32;
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        count = count.checked_add(last.checked_sub(first)?.checked_add(1)?)?;
    }
    Some(count)
}

/// Whether the processor says that it is a hypervisor's.
pub(super) fn has_hypervisor_flag(cpuinfo: &str) -> bool {
    value(cpuinfo, "flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"))
}

/// The first value of a key that is not empty.
fn value<'a>(cpuinfo: &'a str, key: &str) -> Option<&'a str> {
    let pairs = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    let mut values = pairs.filter(|(name, _)| name.trim() == key).map(|(_, value)| value.trim());
    values.find(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUEST: &str = "processor\t: 0\nmodel name\t: Example CPU @ 2.0GHz: fast\n\
                         flags\t\t: fpu sse hypervisor avx\n\nprocessor\t: 1\nmodel name\t: Other\n";

    #[test]
    fn the_model_is_that_of_the_first_processor() {
        assert_eq!(model(GUEST), "Example CPU @ 2.0GHz: fast");
        assert_eq!(model("processor : 0\nBogoMIPS : 48.00\n"), "");
        assert_eq!(model(""), "");
    }

    #[test]
    fn a_list_is_counted_and_an_invalid_one_is_none() {
        for (list, count) in [("0\n", 1), ("0-1\n", 2), ("0-3,8,10-11", 7), ("4294967294", 1)] {
            assert_eq!(count_listed(list), Some(count), "{list:?}");
        }
        for list in ["", "\n", "x", "3-1", "-1", "0-", "0-4294967295", "0,,1"] {
            assert_eq!(count_listed(list), None, "{list:?}");
        }
    }

    #[test]
    fn only_the_whole_flag_counts() {
        assert!(has_hypervisor_flag(GUEST));
        assert!(!has_hypervisor_flag("flags : fpu hypervisor_not"));
        assert!(!has_hypervisor_flag(""));
    }
}
