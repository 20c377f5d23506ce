//! Tests of pools whose processes do not spin before they sleep.

use millrace_pool::PoolConfig;

use crate::support::{Pool, config, is_alone};

#[test]
fn a_pool_works_without_spinning() {
  if !is_alone("spin::a_pool_works_without_spinning", &[("MILLRACE_SPIN", "off")]) {
    return;
  }
  let mut pool = Pool::new(PoolConfig { max_workers: 3, ..config() });
  let keys: Vec<u64> = (0..200).map(|_| pool.submit_with("echo", &[7; 100])).collect();
  for key in keys {
    assert_eq!(pool.answer(key), [7; 100]);
  }
  pool.close();
}
