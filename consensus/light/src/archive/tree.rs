//! Hash trees: from many hashes to one, and each one's way there (RFC 4998 §4).

use crate::archive::digest::ArchiveDigest;
use crate::archive::limits::{TREE_LIST_HASHES_MAX, TREE_LISTS_MAX};

/// Lists of a reduced hash tree, the first of which has the hash that it is about.
pub(crate) type ReducedTree = Vec<Vec<Vec<u8>>>;

/// Hash of the father of these: they are sorted first.
fn father<'a>(algorithm: ArchiveDigest, children: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut children: Vec<&[u8]> = children.into_iter().collect();
    children.sort_unstable();
    algorithm.hash(children)
}

fn node(algorithm: ArchiveDigest, list: &[Vec<u8>]) -> Vec<u8> {
    match list {
        [one] => one.clone(),
        list => father(algorithm, list.iter().map(Vec::as_slice)),
    }
}

/// Where a reduced hash tree leads: `None` if its first list lacks `hash`, or it is no tree of this
/// algorithm.
pub(crate) fn root(
    algorithm: ArchiveDigest,
    tree: &[Vec<Vec<u8>>],
    hash: &[u8],
) -> Option<Vec<u8>> {
    let fits = |list: &Vec<Vec<u8>>| {
        let of_length = list.iter().all(|hash| hash.len() == algorithm.length());
        of_length && (1..=TREE_LIST_HASHES_MAX).contains(&list.len())
    };
    if tree.len() > TREE_LISTS_MAX || !tree.iter().all(fits) {
        return None;
    }
    let (first, others) = tree.split_first()?;
    if !first.iter().any(|it| it == hash) {
        return None;
    }
    let mut reached = node(algorithm, first);
    for list in others {
        let children = list.iter().chain([&reached]).map(Vec::as_slice);
        reached = father(algorithm, children);
    }
    Some(reached)
}

/// The root over groups of hashes, and each group's reduced tree: `None` where the root is its only
/// hash.
pub(crate) fn build(
    algorithm: ArchiveDigest,
    groups: &[Vec<Vec<u8>>],
) -> (Vec<u8>, Vec<Option<ReducedTree>>) {
    let mut level: Vec<Vec<u8>> = groups.iter().map(|group| node(algorithm, group)).collect();
    let mut paths: Vec<Vec<Vec<u8>>> = vec![Vec::new(); groups.len()];
    let mut places: Vec<usize> = (0..groups.len()).collect();
    while level.len() > 1 {
        for (path, place) in paths.iter_mut().zip(&mut places) {
            // The last of an odd number has no brother, and goes up as it is.
            path.extend(level.get(*place ^ 1).cloned());
            *place /= 2;
        }
        let fathers = level.chunks(2).map(|pair| node(algorithm, pair));
        level = fathers.collect();
    }
    let root = level.pop().unwrap_or_default();
    let trees = groups.iter().zip(paths);
    let trees = trees.map(|(group, path)| reduced(group, path));
    (root, trees.collect())
}

fn reduced(group: &[Vec<u8>], path: Vec<Vec<u8>>) -> Option<ReducedTree> {
    let mut path = path.into_iter();
    let mut first = group.to_vec();
    if group.len() == 1 {
        // All children of its father are one list.
        first.push(path.next()?);
    }
    first.sort_unstable();
    Some(
        [first]
            .into_iter()
            .chain(path.map(|hash| vec![hash]))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_leads_to_the_root_and_no_other_hash_does() {
        let algorithm = ArchiveDigest::Sha256;
        for count in 1..=17u8 {
            let hash = |of: u8| algorithm.hash([[of].as_slice()]);
            let groups: Vec<_> = (0..count)
                .map(|at| (0..=at % 3).map(|of| hash(3 * at + of)).collect())
                .collect();
            let groups: Vec<Vec<Vec<u8>>> = groups;
            let (top, trees) = build(algorithm, &groups);
            for (group, tree) in groups.iter().zip(&trees) {
                let Some(tree) = tree else {
                    assert_eq!((groups.len(), &group[0]), (1, &top));
                    continue;
                };
                for hash in group {
                    assert_eq!(root(algorithm, tree, hash), Some(top.clone()));
                }
                assert_eq!(root(algorithm, tree, &hash(255)), None);
                let mut wrong = tree.clone();
                wrong[0][0][0] ^= 1;
                let other = group.iter().find_map(|hash| root(algorithm, &wrong, hash));
                assert_ne!(other, Some(top.clone()));
            }
        }
    }

    #[test]
    fn refuses_trees_of_other_hashes() {
        let algorithm = ArchiveDigest::Sha256;
        let hash = vec![1; 32];
        assert_eq!(
            root(algorithm, &[vec![hash.clone()]], &hash),
            Some(hash.clone())
        );
        assert_eq!(root(algorithm, &[], &hash), None);
        assert_eq!(root(algorithm, &[vec![hash.clone()], vec![]], &hash), None);
        assert_eq!(
            root(algorithm, &[vec![hash.clone(), vec![2; 31]]], &hash),
            None
        );
        let many = vec![vec![hash.clone()]; TREE_LISTS_MAX + 1];
        assert_eq!(root(algorithm, &many, &hash), None);
    }
}
