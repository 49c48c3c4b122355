#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# json-lines.sh SCHEMA FILE... - is every line of the files what the JSON schema says?
#
# Then it breaks them: a line of each event without each member that has to be there, and
# with one that nobody knows, must not pass, or the schema says nothing. On success it
# prints the events that there were. exit status: 0 yes, 1 no, 77 no python3-jsonschema

set -u
python3 -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null || exit 77

exec python3 - "$@" <<'PYTHON'
import copy, json, sys
import jsonschema

schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
check = jsonschema.Draft202012Validator(schema)
lines = [(name, line) for name in sys.argv[2:] for line in open(name)]
events, wrong = {}, 0

for name, line in lines:
    value = json.loads(line)
    for error in check.iter_errors(value):
        wrong += 1
        print(f"{name}: {error.json_path}: {error.message}\n  {line.strip()}")
    events.setdefault(value.get("event"), value)

for event, value in events.items():
    for member in schema["$defs"].get(event, {}).get("required", []):
        less = copy.deepcopy(value)
        less["data"].pop(member, None)
        if check.is_valid(less):
            wrong += 1
            print(f"{event} passes without {member}")
    more = copy.deepcopy(value)
    more["data"]["no_such_member"] = 1
    if check.is_valid(more):
        wrong += 1
        print(f"{event} passes with a member that nobody knows")

if not wrong:
    print(" ".join(sorted(events)))
sys.exit(1 if wrong or not lines else 0)
PYTHON
