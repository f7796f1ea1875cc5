//! Which units of a file were visited, so that all come before one returns whatever sizes ops have.

/// A bit for each unit of a file.
#[derive(Clone, Debug)]
pub(crate) struct Visited {
    words: Vec<u64>,
    units: u64,
}

impl Visited {
    /// None of that many.
    pub(crate) fn none(units: u64) -> Visited {
        let units = units.max(1);
        Visited { words: vec![0; units.div_ceil(64) as usize], units }
    }

    /// Visits a stretch that begins at the first unit from there on that was not visited, or at the
    /// first one of all if there is none. It ends after `units`, or before a unit that was visited.
    /// After all were visited they come again.
    pub(crate) fn visit(&mut self, from: u64, units: u64) -> (u64, u64) {
        let first = match self.free_from(from).or_else(|| self.free_from(0)) {
            Some(first) => first,
            None => {
                self.forget();
                from.min(self.units - 1)
            }
        };
        let mut count = 0;
        while count < units.max(1) && self.is_free(first + count) {
            let (word, bit) = place(first + count);
            self.words[word] |= bit;
            count += 1;
        }
        (first, count)
    }

    fn forget(&mut self) {
        self.words.fill(0);
    }

    fn is_free(&self, unit: u64) -> bool {
        let (word, bit) = place(unit);
        unit < self.units && self.words[word] & bit == 0
    }

    fn free_from(&self, from: u64) -> Option<u64> {
        let (first, bit) = place(from);
        let mut below = bit - 1;
        for (number, word) in self.words.iter().enumerate().skip(first) {
            let free = !(word | below);
            below = 0;
            if free != 0 {
                let unit = number as u64 * 64 + u64::from(free.trailing_zeros());
                return (unit < self.units).then_some(unit);
            }
        }
        None
    }
}

fn place(unit: u64) -> (usize, u64) {
    ((unit / 64) as usize, 1 << (unit % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_begins_at_the_next_that_is_free_and_ends_before_one_that_is_not() {
        let mut visited = Visited::none(70);
        assert_eq!(visited.visit(10, 4), (10, 4));
        assert_eq!(visited.visit(8, 4), (8, 2));
        assert_eq!(visited.visit(11, 2), (14, 2));
        assert_eq!(visited.visit(60, 20), (60, 10), "to the end");
        assert_eq!(visited.visit(69, 1), (0, 1), "from the start again");
        assert_eq!(visited.visit(1, 99), (1, 7));
        assert_eq!(visited.visit(0, 99), (16, 44));
        assert_eq!(visited.visit(33, 3), (33, 3), "all were visited");
    }

    #[test]
    fn any_number_of_units_is_visited_once_before_one_returns() {
        for units in [1, 2, 63, 64, 65, 200] {
            let mut visited = Visited::none(units);
            let (mut sum, mut from) = (0, 7);
            while sum < units {
                from = (from * 31 + 17) % units;
                sum += visited.visit(from, from % 5).1;
            }
            assert_eq!(sum, units);
        }
    }
}
