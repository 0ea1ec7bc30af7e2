# bash completion for agentctl and agent-spawn

_agentctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= index
  COMPREPLY=()
  case $prev in
    --socket|--config) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    -n|--lines|--as) return ;;
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    case ${COMP_WORDS[index]} in
      --socket) ((index++)) ;;
      -*) ;;
      *) command=${COMP_WORDS[index]}; break ;;
    esac
  done
  case $command in
    '')
      if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '-V --version --json --socket -h --help' -- "$cur")
      else mapfile -t COMPREPLY < <(compgen -W 'list status logs audit allow deny credential export start stop restart reload inspect wait rm check completion' -- "$cur"); fi
      ;;
    list)
      if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '-a --all -q --quiet -h --help --json --socket' -- "$cur"); fi
      ;;
    status|allow|deny|start|stop|restart|inspect|wait|rm)
      if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '-h --help --json --socket' -- "$cur")
      else mapfile -t COMPREPLY < <(compgen -W "$(agentctl list --all --quiet 2>/dev/null)" -- "$cur"); fi
      ;;
    logs)
      if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '-f --follow -n --lines -h --help --json --socket' -- "$cur")
      else mapfile -t COMPREPLY < <(compgen -W "$(agentctl list --all --quiet 2>/dev/null)" -- "$cur"); fi
      ;;
    audit)
      if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '-f --follow -d --denied -h --help --json --socket' -- "$cur")
      else mapfile -t COMPREPLY < <(compgen -W "$(agentctl list --all --quiet 2>/dev/null)" -- "$cur"); fi
      ;;
    credential)
      if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '-h --help --json --socket' -- "$cur")
      else mapfile -t COMPREPLY < <(compgen -W 'reload' -- "$cur"); fi
      ;;
    export)
      if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '-h --help --json --socket' -- "$cur")
      else mapfile -t COMPREPLY < <(compgen -W 'squid tinyproxy' -- "$cur"); fi
      ;;
    reload)
      if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '-h --help --json --socket' -- "$cur"); fi
      ;;
    check)
      if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '--offline --declared --as --config -h --help --json --socket' -- "$cur")
      else compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); fi
      ;;
    completion)
      if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '-h --help --json --socket' -- "$cur")
      else mapfile -t COMPREPLY < <(compgen -W 'bash zsh fish' -- "$cur"); fi
      ;;
  esac
}

_agent_spawn() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  case $prev in
    --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
  esac
  if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '-d --detach --dry-run --json -q --quiet --summary --socket -h --help -V --version' -- "$cur")
  else compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); fi
}

complete -F _agentctl agentctl
complete -F _agent_spawn agent-spawn
