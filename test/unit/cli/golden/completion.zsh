#compdef agentctl agent-spawn

_agentctl_ids() {
  local -a ids
  ids=(${(f)"$(agentctl list --all --quiet 2>/dev/null)"})
  compadd -a ids
}

_agentctl() {
  local -a commands line
  local state
  commands=(
    'list:show the agents of this host'
    'status:show one agent and what it uses now'
    'logs:show what an agent printed, from the journal'
    'audit:show what became of the requests of an agent; `audit verify <id>` checks that nothing of it was changed'
    'allow:let a running agent reach a host, until it ends'
    'deny:refuse a host to a running agent, whatever else allows it, until it ends'
    'credential:read the keys of an agent again, without a restart: the next request has the new ones'
    'export:print what an agent, or a card by its path, may reach as configuration of another proxy'
    'start:start a declared or ended agent again'
    'stop:stop an agent and everything it started'
    'restart:stop an agent and start it again'
    'reload:read the cards again and say what that came to'
    'inspect:show one agent with its card and its plan'
    'wait:wait until an agent has ended and end with its status, as agent-spawn does'
    'rm:forget an agent that ended'
    'check:check a card against its schema and this host, or cards without any host; `-` reads standard input'
    'completion:print the completion of agentctl and agent-spawn for a shell'
  )
  _arguments -C '(-V --version)'{-V,--version}'[print the version]' '--json[print JSON]' '--socket[API socket of the daemon]:path:_files' '(-h --help)'{-h,--help}'[print this]' '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $line[1] in
        list) _arguments '(-a --all)'{-a,--all}'[also agents that ended]' \
          '(-q --quiet)'{-q,--quiet}'[only their ids]' \
          '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' ;;
        status) _arguments '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '1:agent:_agentctl_ids' ;;
        logs) _arguments '(-f --follow)'{-f,--follow}'[wait for more]' \
          '(-n --lines)'{-n,--lines}'[begin with the last lines, not all]:value:' \
          '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '1:agent:_agentctl_ids' ;;
        audit) _arguments '(-f --follow)'{-f,--follow}'[wait for more]' \
          '(-d --denied)'{-d,--denied}'[only what was refused]' \
          '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '1:agent:_agentctl_ids' ;;
        allow) _arguments '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '1:agent:_agentctl_ids' ;;
        deny) _arguments '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '1:agent:_agentctl_ids' ;;
        credential) _arguments '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '1:shell:(reload)' ;;
        export) _arguments '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '1:shell:(squid tinyproxy)' ;;
        start) _arguments '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '1:agent:_agentctl_ids' ;;
        stop) _arguments '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '1:agent:_agentctl_ids' ;;
        restart) _arguments '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '1:agent:_agentctl_ids' ;;
        reload) _arguments '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' ;;
        inspect) _arguments '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '1:agent:_agentctl_ids' ;;
        wait) _arguments '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '1:agent:_agentctl_ids' ;;
        rm) _arguments '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '1:agent:_agentctl_ids' ;;
        check) _arguments '--offline[ask no daemon and look at no host]' \
          '--declared[as files of the cards directory\: named after their agent_id]' \
          '--as[name what is wrong below this option of NixOS; once for each card]:value:' \
          '--config[judge by this configuration of the daemon, not by the default one]:path:_files' \
          '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '*:card:_files' ;;
        completion) _arguments '(-h --help)'{-h,--help}'[print this]' \
          '--json[print JSON]' \
          '--socket[API socket of the daemon]:path:_files' \
          '1:shell:(bash zsh fish)' ;;
      esac
      ;;
  esac
}

_agent_spawn() {
  _arguments '(-d --detach)'{-d,--detach}'[print the id and return once the agent runs]' \
    '--dry-run[print the plan\: unit, sandbox, network, environment; touch nothing]' \
    '--json[print JSON\: the plan, the detached agent, or on stderr how a foreground one ended]' \
    '(-q --quiet)'{-q,--quiet}'[print neither notes nor the summary]' \
    '--summary[print the summary on stderr also when that is no terminal]' \
    '--socket[API socket of the daemon]:path:_files' \
    '(-h --help)'{-h,--help}'[print this]' \
    '(-V --version)'{-V,--version}'[print the version]' \
    '1:card:_files' '*:argument:_default'
}

case $service in
  agent-spawn) _agent_spawn "$@" ;;
  *) _agentctl "$@" ;;
esac
