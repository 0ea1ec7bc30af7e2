# One machine before and after a switch: one agent has another card, one is new, one is withdrawn,
# and the others stay as they are. A test puts the outcome of both in place on a real systemd.
{ generation }:
let
  isFirst = generation == 1;

  # Programs are named as a search finds them: the test has no store.
  agent =
    changes:
    {
      command = [
        "sleep"
        "infinity"
      ];
      network.mode = "none";
      resource_limits.memory_mb = 64;
      autostart = true;
    }
    // changes;
in
{
  services.agent-spawn = {
    enable = true;
    agentsDir = "/var/lib/agents";
    group = "agent-callers";
    credentials.model-key = "/run/agenix/model-key";

    agents = {
      steady = agent { };
      changing = agent { resource_limits.memory_mb = if isFirst then 64 else 96; };
      withdrawn = agent { enable = isFirst; };
      added = agent { enable = !isFirst; };
      resting = agent { autostart = false; };
      # Asks an API with a key that it does not see, and ends.
      caller = agent {
        command = [
          "bash"
          "-c"
          "curl -fsS \"$CUSTOM_BASE_URL/\" >answer 2>error; echo $? >status"
        ];
        network.mode = "isolated";
        restart = "no";
        autostart = false;
        credentials = [
          {
            provider = "custom";
            base_url = "https://echo.example.com";
            header = "x-api-key";
            api_key_file = "credential:model-key";
          }
        ];
      };
    };
  };
}
