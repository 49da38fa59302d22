//! Canonical RLP, item by item, without copying.

use alloy_rlp::Header;

/// One item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    /// Prefix and payload.
    pub(super) raw: &'a [u8],
    pub(super) payload: &'a [u8],
    pub(super) is_list: bool,
}

impl<'a> Item<'a> {
    /// The payload of a byte string.
    pub(super) fn bytes(&self) -> Option<&'a [u8]> {
        (!self.is_list).then_some(self.payload)
    }

    /// A byte string of exactly `N` bytes.
    pub(super) fn array<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.bytes()?.try_into().ok()
    }

    /// An integer without leading zeros, of at most 64 bits.
    pub(super) fn integer(&self) -> Option<u64> {
        let bytes = self.bytes()?;
        if bytes.len() > 8 || bytes.first() == Some(&0) {
            return None;
        }
        Some(
            bytes
                .iter()
                .fold(0, |value, byte| value << 8 | u64::from(*byte)),
        )
    }

    /// The items of a list, at most `count_max`.
    pub(super) fn items(&self, count_max: usize) -> Option<Vec<Item<'a>>> {
        if !self.is_list {
            return None;
        }
        let (mut items, mut rest) = (Vec::new(), self.payload);
        while !rest.is_empty() {
            if items.len() == count_max {
                return None;
            }
            let (item, after) = split(rest)?;
            items.push(item);
            rest = after;
        }
        Some(items)
    }
}

/// The only item of these bytes.
pub(super) fn whole(bytes: &[u8]) -> Option<Item<'_>> {
    let (item, rest) = split(bytes)?;
    rest.is_empty().then_some(item)
}

/// The first item, and what comes after it.
fn split(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let mut rest = bytes;
    let Header {
        list: is_list,
        payload_length,
    } = Header::decode(&mut rest).ok()?;
    let (payload, after) = rest.split_at_checked(payload_length)?;
    let raw = &bytes[..bytes.len() - after.len()];
    let item = Item {
        raw,
        payload,
        is_list,
    };
    Some((item, after))
}

/// A list of items that are encoded already.
pub(super) fn list<'a>(items: impl Iterator<Item = &'a [u8]> + Clone) -> Vec<u8> {
    let payload_length = items.clone().map(<[u8]>::len).sum();
    let mut bytes = Vec::with_capacity(payload_length + 9);
    let list = true;
    Header {
        list,
        payload_length,
    }
    .encode(&mut bytes);
    items.for_each(|item| bytes.extend_from_slice(item));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_canonical_items_alone() {
        for good in [
            &[0x7f][..],
            &[0x80],
            &[0x81, 0x80],
            &[0xc0],
            &[0xc2, 1, 0x80],
        ] {
            assert!(whole(good).is_some(), "{good:x?}");
        }
        let long = [&[0xb8, 56][..], &[7; 56]].concat();
        assert_eq!(
            whole(&long).and_then(|item| item.bytes()),
            Some(&[7; 56][..])
        );
        let bad: [&[u8]; 9] = [
            &[],
            &[0x81, 0x7f],
            &[0x82, 1],
            &[0xb8, 1, 7],
            &[0xb9, 0, 56],
            &[0xc1],
            &[0x80, 0x80],
            &[0xf8, 1, 7],
            &[0xbf, 255, 255, 255, 255, 255, 255, 255, 255],
        ];
        for bad in bad {
            assert!(whole(bad).is_none(), "{bad:x?}");
        }
        // The list is whole, what it holds is not.
        let list = whole(&[0xc1, 0x81]).unwrap();
        assert!(list.items(9).is_none() && list.bytes().is_none());
        assert!(whole(&[0xc2, 1, 2]).unwrap().items(1).is_none());
    }

    #[test]
    fn integers_have_no_leading_zeros() {
        assert_eq!(whole(&[0x80]).unwrap().integer(), Some(0));
        assert_eq!(whole(&[0x82, 1, 0]).unwrap().integer(), Some(256));
        assert_eq!(whole(&[0x00]).unwrap().integer(), None);
        assert_eq!(
            whole(&[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap().integer(),
            None
        );
    }

    #[test]
    fn a_list_is_what_its_items_are() {
        let items: [&[u8]; 2] = [&[1], &[0x80]];
        assert_eq!(list(items.into_iter()), [0xc2, 1, 0x80]);
    }
}
