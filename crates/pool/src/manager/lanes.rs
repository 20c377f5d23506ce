//! The lanes of a pool, by index.

use crate::lane::Lane;

/// The lanes of all workers that are not reaped. A lane keeps its index for as long as its worker lives; then the index
/// is free for the next one.
#[derive(Debug, Default)]
pub(super) struct Lanes {
  places: Vec<Option<Lane>>,
  /// How many of the places are taken.
  live: usize,
}

impl Lanes {
  pub(super) fn get(&self, index: usize) -> Option<&Lane> {
    self.places.get(index)?.as_ref()
  }

  pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Lane> {
    self.places.get_mut(index)?.as_mut()
  }

  /// How many workers are not reaped.
  pub(super) fn live(&self) -> usize {
    self.live
  }

  /// All indices that were ever in use lie below this.
  pub(super) fn places(&self) -> usize {
    self.places.len()
  }

  /// All lanes with their indices.
  pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Lane)> {
    self.places.iter().enumerate().filter_map(|(index, lane)| Some((index, lane.as_ref()?)))
  }

  pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Lane> {
    self.places.iter_mut().flatten()
  }

  /// The indices of all lanes, for a loop that changes the pool.
  pub(super) fn indices(&self) -> Vec<usize> {
    self.indices_where(|_| true)
  }

  /// The indices of some lanes.
  pub(super) fn indices_where(&self, mut which: impl FnMut(&Lane) -> bool) -> Vec<usize> {
    self.iter().filter(|(_, lane)| which(lane)).map(|(index, _)| index).collect()
  }

  /// The index of the next lane.
  pub(super) fn vacancy(&self) -> usize {
    self.places.iter().position(Option::is_none).unwrap_or(self.places.len())
  }

  /// Puts a lane in at [`Lanes::vacancy`].
  pub(super) fn insert(&mut self, index: usize, lane: Lane) {
    if index == self.places.len() {
      self.places.push(None);
    }
    self.places[index] = Some(lane);
    self.live += 1;
  }

  pub(super) fn take(&mut self, index: usize) -> Option<Lane> {
    let lane = self.places.get_mut(index)?.take()?;
    self.live -= 1;
    Some(lane)
  }

  /// Drops all lanes, and leaves their workers alone.
  pub(super) fn clear(&mut self) {
    self.places.clear();
    self.live = 0;
  }

  /// How many workers boot.
  pub(super) fn booting(&self) -> usize {
    self.iter().filter(|(_, lane)| !lane.life().has_booted()).count()
  }

  /// Whether some worker has nothing to do and may be given calls.
  pub(super) fn has_idle(&self) -> bool {
    self.iter().any(|(_, lane)| lane.is_idle())
  }

  /// Whether fewer than `bound` workers have something to do.
  pub(super) fn busy_below(&self, bound: usize) -> bool {
    self.live < bound || self.iter().filter(|(_, lane)| !lane.is_empty()).take(bound).count() < bound
  }
}
