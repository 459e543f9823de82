use super::*;

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

/// A map of texts that weigh as much as they are long and belong to whom their first letter names.
fn texts(capacity: usize) -> ExpiringMap<usize, String, char> {
    ExpiringMap::shared(capacity, String::len, |text| text.chars().take(1).collect())
}

#[test]
fn an_entry_is_gone_from_the_second_it_ends() {
    let map = ExpiringMap::with_capacity(8);
    map.insert("code", 1, at(10), at(0)).unwrap();
    assert_eq!(map.read(&"code", at(9), |value| *value), Some(1));
    assert_eq!(map.read(&"code", at(10), |value| *value), None);
    assert_eq!(map.update(&"code", at(10), |value| *value), None);
    assert_eq!(map.take(&"code", at(10)), None);
}

#[test]
fn i23_a_full_map_refuses_the_new_and_keeps_the_live() {
    let map = ExpiringMap::with_capacity(2);
    map.insert("a", 1, at(5), at(0)).unwrap();
    map.insert("b", 2, at(9), at(0)).unwrap();
    assert_eq!(map.insert("c", 3, at(9), at(1)), Err(Full));
    assert_eq!(map.read(&"a", at(1), |value| *value), Some(1));
    map.insert("a", 4, at(5), at(1)).unwrap();
    assert_eq!(map.read(&"a", at(1), |value| *value), Some(4), "what is there may be replaced");
    map.insert("c", 3, at(9), at(5)).unwrap();
    assert_eq!(map.len(), 2);
}

#[test]
fn i23_few_large_entries_fill_a_map_as_many_small_ones_do() {
    let map = texts(8);
    let large = |owner: char| owner.to_string().repeat(3 * BYTES_EACH);
    map.insert(1, large('a'), at(9), at(0)).unwrap();
    map.insert(2, large('b'), at(9), at(0)).unwrap();
    assert_eq!(map.insert(3, large('c'), at(9), at(0)), Err(Full));
    map.insert(4, "c".into(), at(9), at(0)).unwrap();
    assert_eq!(map.insert(5, large('d'), at(9), at(0)), Err(Full));
    // It may shrink, and what it gave back is there for others.
    map.update(&1, at(1), |text| text.truncate(1)).unwrap();
    map.insert(5, large('d'), at(9), at(1)).unwrap();
}

#[test]
fn i23_one_owner_gets_half_of_the_map_and_the_others_the_rest() {
    let map = texts(10);
    let refused = |owner: &str, keys: std::ops::Range<usize>| {
        keys.filter(|key| map.insert(*key, owner.into(), at(9), at(0)).is_err()).count()
    };
    assert_eq!(refused("a", 0..10), 5);
    assert_eq!(refused("b", 10..14), 0);
    assert_eq!(refused("c", 20..22), 1, "then it is full");
    map.take(&0, at(1)).unwrap();
    assert_eq!(refused("a", 0..1), 0, "a share is given back");
}

#[test]
fn i23_what_begins_finds_no_room_while_what_is_under_way_still_does() {
    let map = texts(32);
    for key in 0..14 {
        assert!(map.has_room(&['a'], at(0)), "{key}");
        map.insert(key, "a".into(), at(9), at(0)).unwrap();
    }
    assert!(!map.has_room(&['a'], at(0)) && map.has_room(&['b'], at(0)));
    map.insert(14, "a".into(), at(9), at(0)).unwrap();
    for key in 20..34 {
        map.insert(key, "b".into(), at(9), at(0)).unwrap();
    }
    assert!(!map.has_room(&['c'], at(0)), "nor in all");
    assert!(map.has_room(&['a'], at(9)), "what has ended is no hindrance");
}

#[test]
fn i23_what_has_ended_gives_everything_back() {
    let map = texts(10_000);
    for key in 0..10_000 {
        map.insert(key, format!("{}{key}", if key % 2 == 0 { 'a' } else { 'b' }), at(9), at(0)).unwrap();
    }
    let held = map.entries.capacity();
    map.sweep(at(9));
    let books = map.books();
    assert_eq!((books.all.entries, books.all.bytes, books.owners.len()), (0, 0, 0));
    assert!(map.entries.capacity() < held / 8, "{} of {held}", map.entries.capacity());
}

#[test]
fn i23_a_full_map_is_not_searched_for_every_refusal() {
    let map = ExpiringMap::with_capacity(1);
    map.insert("a", 1, at(9), at(0)).unwrap();
    assert!(map.sweep_once(at(1)));
    assert!(!map.sweep_once(at(1)));
    assert_eq!(map.insert("b", 2, at(9), at(1)), Err(Full));
    assert!(map.has_room_below(1, at(9)));
}

#[test]
fn i23_of_many_at_once_none_slips_in() {
    let map = ExpiringMap::with_capacity(100);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let map = &map;
            scope.spawn(move || {
                for number in 0..100 {
                    // Refused, most of them.
                    let _ = map.insert((thread, number), (), at(9), at(0));
                }
            });
        }
    });
    assert_eq!((map.len(), map.entries.len()), (100, 100));
}

#[test]
fn only_one_caller_takes_an_entry() {
    let map = ExpiringMap::with_capacity(2);
    map.insert("a", 1, at(5), at(0)).unwrap();
    assert_eq!((map.take(&"a", at(1)), map.take(&"a", at(1))), (Some(1), None));
}
