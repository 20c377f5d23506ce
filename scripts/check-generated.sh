#!/usr/bin/env bash
# Fails if a generated file that is committed is not what the sources generate.
. "$(dirname "$0")/lib.sh"

rm -f target/native.stamp dist/.stamp
bash scripts/build.sh
# The pages are made from the committed figures: nothing is measured here.
for results in docs/benchmarks*/results.json; do
  node bench/report.mjs --docs --page "$(basename "$(dirname "$results")")" "$results"
done
node bench/starts.mjs --docs docs/benchmarks/start-methods.json

if ! git rev-parse --is-inside-work-tree > /dev/null 2>&1; then
  echo 'SKIPPED: not a git checkout, there is nothing to compare with'
  exit 0
fi

failed=0
for file in index.d.ts streams.d.ts native/binding.d.cts docs/benchmarks*.md docs/benchmarks*/ \
  docs/start-methods.md Cargo.lock package-lock.json; do
  # The second letter compares the work tree with the index: a staged file is as good as a committed one.
  state="$(git status --porcelain --untracked-files=all -- "$file")"
  case "$state" in
    '??'*) echo "$file is generated and has to be committed, but git does not know it: git add $file" ;;
    ?[!\ ]*)
      git --no-pager diff --stat -- "$file"
      echo "$file is not what the sources generate. It has been generated anew: look at the change, then git add $file"
      ;;
    *) continue ;;
  esac
  failed=1
done
exit "$failed"
