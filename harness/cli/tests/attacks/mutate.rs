//! Mutations that know the structure of what they change: JSON, lines of JSON, specs and job files.

use serde_json::{Map, Value, json};

use crate::campaign::Chance;

/// Text that a terminal, a page or a table may take for something else.
const HOSTILE: [&str; 14] = [
    "\u{1b}[31mred\u{1b}]0;title\u{7}",
    "\u{202e}gnp.exe",
    "\u{2066}x\u{2069}",
    "\u{9b}2J",
    "\r\nerror: no",
    "\0",
    "<script>alert(1)</script>",
    "]]>&amp;'\"",
    "../../etc/passwd",
    "-",
    "",
    " ",
    "a|b`c`\\u001b",
    "\u{fffd}\u{10ffff}ß\u{301}",
];

/// An unexpected text.
pub(crate) fn hostile(chance: &mut Chance) -> String {
    let text = *chance.of(&HOSTILE);
    match chance.below(8) {
        0 => text.repeat(1 + chance.below(3000)),
        1 => format!("fsync-mix{text}"),
        _ => text.to_owned(),
    }
}

/// An unexpected value.
fn extreme(chance: &mut Chance) -> Value {
    let some = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(u32::MAX),
        json!(9_007_199_254_740_993_u64),
        json!(1e308),
        json!(-1e-308),
        json!(5e-324),
        json!(0.5),
        json!([]),
        json!({}),
        json!([[[[[[]]]]]]),
        json!({"all": {"all": null}}),
    ];
    if chance.one_in(3) { hostile(chance).into() } else { chance.of(&some).clone() }
}

/// Changes something somewhere in a value.
pub(crate) fn value(it: &mut Value, chance: &mut Chance) {
    let deeper = !chance.one_in(4);
    match it {
        Value::Object(map) if deeper && !map.is_empty() => {
            let at = chance.below(map.len());
            map.values_mut().nth(at).into_iter().for_each(|inner| value(inner, chance));
        }
        Value::Array(items) if deeper && !items.is_empty() => {
            let at = chance.below(items.len());
            value(&mut items[at], chance);
        }
        Value::Object(map) if !chance.one_in(6) => object(map, chance),
        Value::Array(items) if !chance.one_in(6) => array(items, chance),
        Value::Number(number) if chance.one_in(2) => {
            let factors = [-1.0, 0.999, 1.001, 2.0, 1e3, 1e9, 1e-9];
            *it = json!(number.as_f64().unwrap_or(1.0) * chance.of(&factors));
        }
        Value::String(text) if chance.one_in(2) => {
            let more = hostile(chance);
            if chance.one_in(2) { text.push_str(&more) } else { text.insert_str(0, &more) }
        }
        other => *other = extreme(chance),
    }
}

fn object(map: &mut Map<String, Value>, chance: &mut Chance) {
    let keys: Vec<String> = map.keys().cloned().collect();
    let name = hostile(chance);
    match chance.below(4) {
        0 => drop(map.insert(name, extreme(chance))),
        _ if keys.is_empty() => {}
        1 => drop(map.remove(chance.of(&keys))),
        2 => {
            let taken = map.remove(chance.of(&keys)).unwrap_or_default();
            map.insert(name, taken);
        }
        _ => {
            let [one, other] = [0; 2].map(|_| chance.of(&keys).clone());
            let taken = map.get(&one).cloned().unwrap_or_default();
            map.insert(other, taken);
        }
    }
}

fn array(items: &mut Vec<Value>, chance: &mut Chance) {
    match chance.below(4) {
        0 => items.push(extreme(chance)),
        1 => items.clear(),
        2 => items.reverse(),
        _ if items.is_empty() => {}
        _ => {
            let one = chance.of(items).clone();
            let more = 1 + chance.below(300);
            items.extend(std::iter::repeat_n(one, more));
        }
    }
}

/// Some changes, and the text, in which a key may be there twice.
pub(crate) fn json_text(mut it: Value, chance: &mut Chance) -> String {
    for _ in 0..1 + chance.below(4) {
        value(&mut it, chance);
    }
    let text = it.to_string();
    match &it {
        Value::Object(map) if !map.is_empty() && chance.one_in(8) => {
            let keys: Vec<&String> = map.keys().collect();
            let key = json!(chance.of(&keys));
            format!("{{{key}:{},{}", extreme(chance), &text[1..])
        }
        _ => text,
    }
}

/// Lines of JSON, of which some are changed, left out, there twice or cut off.
pub(crate) fn lines(of: &[Value], chance: &mut Chance) -> Vec<u8> {
    let mut all: Vec<String> = of.iter().map(ToString::to_string).collect();
    for _ in 0..1 + chance.below(3) {
        let at = chance.below(of.len());
        all[at] = json_text(of[at].clone(), chance);
    }
    if chance.one_in(6) {
        // The same change in all of them is one that no other line contradicts.
        let seed = chance.below(usize::MAX);
        let same = |one: &Value| json_text(one.clone(), &mut Chance::new(seed as u64));
        all = of.iter().map(same).collect();
    }
    if chance.one_in(8) {
        let at = chance.below(all.len());
        let twice = all[at].clone();
        all.push(twice);
    }
    if chance.one_in(8) {
        let at = chance.below(all.len());
        all.remove(at);
    }
    damaged((all.join("\n") + "\n").into_bytes(), chance)
}

/// Bytes that may be cut off, or of which some may be others.
pub(crate) fn damaged(mut bytes: Vec<u8>, chance: &mut Chance) -> Vec<u8> {
    match chance.below(12) {
        0 => bytes.truncate(chance.below(bytes.len())),
        1 if !bytes.is_empty() => {
            let at = chance.below(bytes.len());
            bytes[at] = chance.below(256) as u8;
        }
        2 => {
            let at = chance.below(bytes.len());
            bytes.splice(at..at, hostile(chance).into_bytes());
        }
        _ => {}
    }
    bytes
}

/// Unexpected values for specs and job files.
const VALUES: [&str; 24] = [
    "-1",
    "0",
    "1",
    "0.5",
    "1e309",
    "nan",
    "inf",
    "9223372036854775807",
    "18446744073709551616",
    "''",
    "[]",
    "{}",
    "true",
    "\"x\"",
    "[1, 2]",
    "100%",
    "4k-1m",
    "1:2:3",
    "4k/50:8k/50",
    "1970-01-01",
    "\"\"\"",
    "\"dsync\"",
    "randwrite",
    "zipf:1.2",
];

/// Keys that are not everywhere.
const KEYS: [&str; 12] = [
    "seconds", "ops", "count", "size_mib", "depth", "unknown", "rw", "bs", "size", "fsync",
    "numjobs", "ioengine",
];

/// The text of a spec or a job file, with some lines changed.
pub(crate) fn settings(text: &str, chance: &mut Chance) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..1 + chance.below(3) {
        let at = chance.below(lines.len());
        let line = lines.get(at).cloned().unwrap_or_default();
        let key = line.split('=').next().unwrap_or_default().trim_end();
        let value =
            if chance.one_in(4) { hostile(chance) } else { (*chance.of(&VALUES)).to_owned() };
        match chance.below(8) {
            0 if !lines.is_empty() => drop(lines.remove(at)),
            1 => lines.insert(at, line),
            2 => lines.insert(at, format!("{} = {value}", chance.of(&KEYS))),
            3 => lines.insert(at, format!("{value} = 1")),
            4 => lines.insert(at, format!("[{value}]")),
            5 => lines.insert(at, value),
            _ if !lines.is_empty() => lines[at] = format!("{key} = {value}"),
            _ => {}
        }
    }
    let bytes = damaged(lines.join("\n").into_bytes(), chance);
    String::from_utf8_lossy(&bytes).into_owned()
}
