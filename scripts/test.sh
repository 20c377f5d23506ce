#!/usr/bin/env bash
# Runs all checks and tests one after the other, also when one fails, and sums up. CI runs the same.
. "$(dirname "$0")/lib.sh"
bash scripts/setup.sh

mkdir -p build/logs
summary=''
failures=''
passed=0
failed=0

# count LOG: prints "passed failed" of the tests in a log, from the summaries of cargo, ava and Node's test runner. When
# tests failed, ava's summary lacks the number of passed tests: then its ticks are counted.
count() {
  sed $'s/\033\\[[0-9;]*m//g' "$1" | awk '
    /^# pass [0-9]+$/ { passed += $3 }
    /^# fail [0-9]+$/ { failed += $3 }
    /^test result:/ { passed += $4; failed += $6 }
    /^ *(✔|√) / { ticks++ }
    /^ *[0-9]+ tests? passed$/ { passed += $1; ticks = 0 }
    /^ *[0-9]+ (tests?|hooks?) failed$/ { failed += $1 }
    /^ *[0-9]+ (uncaught exceptions?|unhandled rejections?)$/ { failed += $1 }
    END { print passed + ticks, failed + 0 }
  '
}

# failing LOG: prints the names of failed tests, as the three print them; for a step without tests, its last lines.
failing() {
  local failure='^ *(✘|✖|×) |^not ok |^test .* FAILED$|^error|^ *(Uncaught exception|Unhandled rejection)'
  sed $'s/\033\\[[0-9;]*m//g' "$1" | grep -E "$failure" | sort -u || tail -n 5 "$1"
}

step() {
  local script=$1 title=$2 started=$SECONDS log="build/logs/$1.log" verdict=ok good bad
  printf '\n=== %s (scripts/%s.sh)\n\n' "$title" "$script"
  bash "scripts/$script.sh" 2>&1 | tee "$log" || verdict=FAILED
  read -r good bad <<< "$(count "$log")"
  # A step that fails without a failed test (a compile error, a crash of a test file) counts as one failure.
  if [ "$verdict" = FAILED ] && [ "$bad" -eq 0 ]; then
    bad=1
  fi
  if [ "$verdict" = FAILED ]; then
    failures="$failures$(printf '\n%s\n%s' "$title" "$(failing "$log")")
"
  fi
  passed=$((passed + good))
  failed=$((failed + bad))
  local seconds=$((SECONDS - started))
  summary="$summary$(printf '%-44s %-6s %5d s %6d passed %4d failed' "$title" "$verdict" "$seconds" "$good" "$bad")
"
}

step build 'Build'
step check-generated 'Generated files are up to date'
step lint 'Formatters and linters'
step test-types 'Type tests'
step test-rust 'Rust tests'
step test-loom 'Model checker'
step test-node 'Tests on real processes'
# In CI one leg of the matrix runs this step: it repeats suites that each leg has run with spawned workers.
if [ "${MILLRACE_TEST_FORKSERVER:-1}" = 1 ]; then
  step test-forkserver 'The same with forked workers'
fi
step test-rehearsal 'Rehearsal of a release'
step test-bench 'Benchmarks, for a moment each'
# In CI one leg of the matrix runs this step: the site is the same for all.
if [ "${MILLRACE_TEST_SITE:-1}" = 1 ]; then
  step test-site 'The site of the documents'
fi

# Failures are repeated at the end: often only the end of a long log is kept.
if [ -n "$failures" ]; then
  printf '\n=== Failures\n%s' "$failures"
fi
printf '\n=== Summary\n\n%s\n' "$summary"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
