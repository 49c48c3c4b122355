#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# json-lines.sh SCHEMA FILE... - is every line of the files what the JSON schema says?
#
# Then it breaks them: a line of each event without each member that has to be there, and
# with one that nobody knows, must not pass, or the schema says nothing. An event may have
# more than one form ("start", "check_start"). On success it prints the forms that there
# were. exit status: 0 yes, 1 no, 77 no python3-jsonschema

set -u
python3 -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null || exit 77

exec python3 - "$@" <<'PYTHON'
import copy, json, sys
import jsonschema

schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
check = jsonschema.Draft202012Validator(schema)
lines = [(name, line) for name in sys.argv[2:] for line in open(name)]
forms, wrong = {}, 0

def names_in(rule):
    if isinstance(rule, dict):
        rule = list(rule.values())
    if isinstance(rule, list):
        return [name for part in rule for name in names_in(part)]
    return [rule.removeprefix("#/$defs/")] if isinstance(rule, str) and rule.startswith("#/$defs/") else []

forms_of = {}
for rule in schema["allOf"]:
    event = rule["if"]["properties"]["event"]
    for name in event["enum"] if "enum" in event else [event["const"]]:
        forms_of[name] = names_in(rule["then"])

def form_of(value):
    for name in forms_of.get(value.get("event"), []):
        one = {"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}
        if jsonschema.Draft202012Validator(one).is_valid(value.get("data")):
            return name
    return None

for name, line in lines:
    value = json.loads(line)
    for error in check.iter_errors(value):
        wrong += 1
        print(f"{name}: {error.json_path}: {error.message}\n  {line.strip()}")
    forms.setdefault((value.get("event"), form_of(value)), value)

for (event, form), value in forms.items():
    for member in schema["$defs"].get(form, {}).get("required", []):
        less = copy.deepcopy(value)
        less["data"].pop(member, None)
        if check.is_valid(less):
            wrong += 1
            print(f"{event} ({form}) passes without {member}")
    more = copy.deepcopy(value)
    more["data"]["no_such_member"] = 1
    if check.is_valid(more):
        wrong += 1
        print(f"{event} ({form}) passes with a member that nobody knows")

if not wrong:
    print(" ".join(sorted({form if form == f"check_{event}" else event for event, form in forms})))
sys.exit(1 if wrong or not lines else 0)
PYTHON
