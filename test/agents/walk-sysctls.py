# Tells which files below /proc/sys may be written, of how many; writes to none of them.
import json
import os

writable, count = [], 0
for directory, _names, files in os.walk("/proc/sys"):
    for name in files:
        count += 1
        if os.access(os.path.join(directory, name), os.W_OK):
            writable.append(os.path.join(directory, name))
print(json.dumps({"count": count, "writable": writable}))
