// Generated from schema/agent-card.schema.json by `npm run generate`; not edited by hand.
import type { SchemaKey } from './schema-key.ts';

/** Every key of a card, in the order of the schema. */
export const CARD_KEYS: readonly SchemaKey[] = [
  {
    "pointer": "/$schema",
    "title": "Schema",
    "type": "string",
    "most": 1024,
    "example": "/usr/share/agent-spawn/schema/agent-card.schema.json"
  },
  {
    "pointer": "/agent_id",
    "title": "Agent id",
    "type": "string",
    "most": 48,
    "example": "dev-agent"
  },
  {
    "pointer": "/workspace",
    "title": "Workspace",
    "type": "string",
    "most": 4095,
    "example": "/mnt/agents/dev"
  },
  {
    "pointer": "/description",
    "title": "Description",
    "type": "string",
    "most": 256,
    "example": "Reviews merge requests of the shop"
  },
  {
    "pointer": "/labels",
    "title": "Labels",
    "type": "object",
    "most": 64,
    "example": {
      "team": "shop",
      "ticket": "SHOP-17"
    }
  },
  {
    "pointer": "/labels/*",
    "title": "labels/*",
    "type": "string",
    "most": 256
  },
  {
    "pointer": "/agent",
    "title": "Agent",
    "type": "string",
    "allowed": [
      "opencode",
      "claude-code",
      "codex",
      "gemini",
      "shell"
    ],
    "example": "claude-code"
  },
  {
    "pointer": "/command",
    "title": "Command",
    "type": "array",
    "least": 1,
    "most": 4096,
    "example": [
      "python3",
      "agent.py"
    ]
  },
  {
    "pointer": "/command/*",
    "title": "command/*",
    "type": "string",
    "most": 131071
  },
  {
    "pointer": "/environment",
    "title": "Environment",
    "type": "object",
    "most": 512,
    "example": {
      "LANG": "de_DE.UTF-8",
      "CI": "1"
    }
  },
  {
    "pointer": "/environment/*",
    "title": "environment/*",
    "type": "string",
    "most": 131071
  },
  {
    "pointer": "/api_provider",
    "title": "API provider",
    "type": "string",
    "allowed": [
      "anthropic",
      "openai",
      "google",
      "ollama",
      "custom"
    ],
    "example": "openai"
  },
  {
    "pointer": "/api_key_file",
    "title": "API key file",
    "type": "string",
    "most": 4095,
    "example": "/run/secrets/anthropic-key"
  },
  {
    "pointer": "/api_key_delivery",
    "title": "Delivery of API keys",
    "type": "string",
    "allowed": [
      "gateway",
      "env"
    ],
    "example": "env"
  },
  {
    "pointer": "/credentials",
    "title": "Credentials",
    "type": "array",
    "most": 32,
    "example": [
      {
        "provider": "git",
        "base_url": "https://github.com",
        "api_key_file": "/run/secrets/github-token"
      }
    ]
  },
  {
    "pointer": "/credentials/*",
    "title": "Credential",
    "type": "object",
    "example": {
      "provider": "openai",
      "api_key_file": "/run/secrets/openai-key"
    }
  },
  {
    "pointer": "/credentials/*/provider",
    "title": "Provider",
    "type": "string",
    "allowed": [
      "anthropic",
      "openai",
      "google",
      "ollama",
      "custom",
      "git"
    ],
    "example": "openai"
  },
  {
    "pointer": "/credentials/*/api_key_file",
    "title": "Key file",
    "type": "string",
    "most": 4095,
    "example": "/run/secrets/openai-key"
  },
  {
    "pointer": "/credentials/*/base_url",
    "title": "Base URL",
    "type": "string",
    "most": 1024,
    "example": "https://llm.example.com/v1"
  },
  {
    "pointer": "/credentials/*/header",
    "title": "Header",
    "type": "string",
    "most": 100,
    "example": "api-key"
  },
  {
    "pointer": "/credentials/*/username",
    "title": "User name",
    "type": "string",
    "most": 128,
    "example": "oauth2"
  },
  {
    "pointer": "/credentials/*/variable",
    "title": "Variable",
    "type": "string",
    "most": 128,
    "example": "LLM_API_KEY"
  },
  {
    "pointer": "/budget",
    "title": "Budget",
    "type": "object",
    "example": {
      "requests": 200,
      "tokens": 2000000
    }
  },
  {
    "pointer": "/budget/requests",
    "title": "Requests",
    "type": "integer",
    "least": 1,
    "most": 1000000000,
    "example": 200
  },
  {
    "pointer": "/budget/tokens",
    "title": "Tokens",
    "type": "integer",
    "least": 1,
    "most": 1000000000000,
    "example": 2000000
  },
  {
    "pointer": "/allowed_hosts",
    "title": "Allowed hosts",
    "type": "array",
    "most": 1024,
    "example": [
      "api.anthropic.com",
      "*.githubusercontent.com"
    ]
  },
  {
    "pointer": "/allowed_hosts/*",
    "title": "Allowed host",
    "type": "string or object",
    "most": 300,
    "example": "api.anthropic.com"
  },
  {
    "pointer": "/allowed_hosts/*/host",
    "title": "Host",
    "type": "string",
    "most": 300,
    "example": "packages.example.org"
  },
  {
    "pointer": "/allowed_hosts/*/ports",
    "title": "Ports",
    "type": "array",
    "least": 1,
    "most": 64,
    "example": [
      443,
      8443
    ]
  },
  {
    "pointer": "/allowed_hosts/*/ports/*",
    "title": "allowed_hosts/*/ports/*",
    "type": "integer",
    "least": 1,
    "most": 65535
  },
  {
    "pointer": "/allowed_hosts/*/methods",
    "title": "Methods",
    "type": "array",
    "least": 1,
    "most": 16,
    "example": [
      "GET",
      "HEAD"
    ]
  },
  {
    "pointer": "/allowed_hosts/*/methods/*",
    "title": "allowed_hosts/*/methods/*",
    "type": "string",
    "most": 32
  },
  {
    "pointer": "/allowed_hosts/*/paths",
    "title": "Paths",
    "type": "array",
    "least": 1,
    "most": 64,
    "example": [
      "/packages"
    ]
  },
  {
    "pointer": "/allowed_hosts/*/paths/*",
    "title": "allowed_hosts/*/paths/*",
    "type": "string",
    "most": 1024
  },
  {
    "pointer": "/allowed_hosts/*/protocol",
    "title": "Protocol",
    "type": "string",
    "allowed": [
      "tls",
      "tcp"
    ],
    "example": "tcp"
  },
  {
    "pointer": "/allowed_hosts/*/reason",
    "title": "Reason",
    "type": "string",
    "most": 256,
    "example": "Packages of the build"
  },
  {
    "pointer": "/denied_hosts",
    "title": "Denied hosts",
    "type": "array",
    "most": 1024,
    "example": [
      "gist.githubusercontent.com"
    ]
  },
  {
    "pointer": "/denied_hosts/*",
    "title": "Denied host",
    "type": "string or object",
    "most": 300,
    "example": "gist.githubusercontent.com"
  },
  {
    "pointer": "/denied_hosts/*/host",
    "title": "Host",
    "type": "string",
    "most": 300,
    "example": "gist.githubusercontent.com"
  },
  {
    "pointer": "/denied_hosts/*/ports",
    "title": "Ports",
    "type": "array",
    "least": 1,
    "most": 64,
    "example": [
      80
    ]
  },
  {
    "pointer": "/denied_hosts/*/ports/*",
    "title": "denied_hosts/*/ports/*",
    "type": "integer",
    "least": 1,
    "most": 65535
  },
  {
    "pointer": "/denied_hosts/*/reason",
    "title": "Reason",
    "type": "string",
    "most": 256,
    "example": "Nothing may be posted there"
  },
  {
    "pointer": "/proxy",
    "title": "Upstream proxy",
    "type": "string",
    "most": 300,
    "example": "http://10.100.1.1:3128"
  },
  {
    "pointer": "/proxy_credentials_file",
    "title": "Credentials of the upstream proxy",
    "type": "string",
    "most": 4095,
    "example": "/run/secrets/proxy-credentials"
  },
  {
    "pointer": "/network",
    "title": "Network",
    "type": "object",
    "example": {
      "mode": "none"
    }
  },
  {
    "pointer": "/network/mode",
    "title": "Network mode",
    "type": "string",
    "allowed": [
      "isolated",
      "none",
      "veth",
      "host"
    ],
    "example": "none"
  },
  {
    "pointer": "/network/max_bytes",
    "title": "Bytes",
    "type": "integer",
    "least": 1,
    "most": 1125899906842624,
    "example": 1073741824
  },
  {
    "pointer": "/network/requests_per_minute",
    "title": "Requests per minute",
    "type": "integer",
    "least": 1,
    "most": 1000000,
    "example": 600
  },
  {
    "pointer": "/network/allow",
    "title": "Direct connections",
    "type": "array",
    "most": 64,
    "example": [
      {
        "address": "192.0.2.10",
        "port": 5432
      }
    ]
  },
  {
    "pointer": "/network/allow/*",
    "title": "Direct connection",
    "type": "object"
  },
  {
    "pointer": "/network/allow/*/address",
    "title": "Address",
    "type": "string",
    "most": 45,
    "example": "192.0.2.10"
  },
  {
    "pointer": "/network/allow/*/port",
    "title": "Port",
    "type": "integer",
    "least": 1,
    "most": 65535,
    "example": 5432
  },
  {
    "pointer": "/network/allow/*/protocol",
    "title": "Protocol",
    "type": "string",
    "allowed": [
      "tcp",
      "udp"
    ],
    "example": "udp"
  },
  {
    "pointer": "/network/publish",
    "title": "Published ports",
    "type": "array",
    "most": 64,
    "example": [
      {
        "port": 8080,
        "listen": "127.0.0.1:18080"
      }
    ]
  },
  {
    "pointer": "/network/publish/*",
    "title": "Published port",
    "type": "object"
  },
  {
    "pointer": "/network/publish/*/port",
    "title": "Port",
    "type": "integer",
    "least": 1024,
    "most": 65535,
    "example": 8080
  },
  {
    "pointer": "/network/publish/*/listen",
    "title": "Listening address",
    "type": "string",
    "most": 107,
    "example": "127.0.0.1:18080"
  },
  {
    "pointer": "/a2a_port",
    "title": "A2A port",
    "type": "integer",
    "least": 1024,
    "most": 65535,
    "example": 8080
  },
  {
    "pointer": "/filesystem",
    "title": "File system",
    "type": "object",
    "example": {
      "read_only": [
        "/srv/datasets"
      ]
    }
  },
  {
    "pointer": "/filesystem/read_only",
    "title": "Read-only paths",
    "type": "array",
    "most": 256,
    "example": [
      "/srv/datasets",
      "/opt/toolchain"
    ]
  },
  {
    "pointer": "/filesystem/read_only/*",
    "title": "filesystem/read_only/*",
    "type": "string",
    "most": 4095
  },
  {
    "pointer": "/filesystem/home",
    "title": "Home directory",
    "type": "string",
    "allowed": [
      "private",
      "temporary",
      "workspace"
    ],
    "example": "workspace"
  },
  {
    "pointer": "/resource_limits",
    "title": "Resource limits",
    "type": "object",
    "example": {
      "memory_mb": 2048,
      "cpu_percent": 150,
      "max_processes": 100
    }
  },
  {
    "pointer": "/resource_limits/memory_mb",
    "title": "Memory",
    "type": "integer",
    "least": 16,
    "most": 16777216,
    "example": 2048
  },
  {
    "pointer": "/resource_limits/memory_high_mb",
    "title": "Memory before throttling",
    "type": "integer",
    "least": 16,
    "most": 16777216,
    "example": 1536
  },
  {
    "pointer": "/resource_limits/cpu_shares",
    "title": "CPU shares",
    "type": "integer",
    "least": 2,
    "most": 262144,
    "example": 512
  },
  {
    "pointer": "/resource_limits/cpu_percent",
    "title": "CPU quota",
    "type": "integer",
    "least": 1,
    "most": 100000,
    "example": 150
  },
  {
    "pointer": "/resource_limits/io_weight",
    "title": "I/O weight",
    "type": "integer",
    "least": 1,
    "most": 10000,
    "example": 50
  },
  {
    "pointer": "/resource_limits/max_processes",
    "title": "Processes",
    "type": "integer",
    "least": 1,
    "most": 4194304,
    "example": 200
  },
  {
    "pointer": "/resource_limits/max_open_files",
    "title": "Open files",
    "type": "integer",
    "least": 16,
    "most": 1048576,
    "example": 4096
  },
  {
    "pointer": "/resource_limits/tmp_mb",
    "title": "Size of /tmp",
    "type": "integer",
    "least": 1,
    "most": 1048576,
    "example": 2048
  },
  {
    "pointer": "/ttl_seconds",
    "title": "Time to live",
    "type": "integer",
    "least": 0,
    "most": 31536000,
    "example": 3600
  },
  {
    "pointer": "/stop_timeout_seconds",
    "title": "Stop timeout",
    "type": "integer",
    "least": 1,
    "most": 3600,
    "example": 30
  },
  {
    "pointer": "/restart",
    "title": "Restart",
    "type": "string",
    "allowed": [
      "no",
      "on-failure",
      "always"
    ],
    "example": "no"
  },
  {
    "pointer": "/autostart",
    "title": "Autostart",
    "type": "boolean",
    "example": true
  }
];

/** What holds for a key that a card leaves out, in the shape of a card. */
export const CARD_DEFAULTS = {
  "labels": {},
  "agent": "opencode",
  "environment": {},
  "api_key_delivery": "gateway",
  "credentials": [],
  "budget": {},
  "denied_hosts": [],
  "network": {
    "mode": "isolated",
    "allow": [],
    "publish": []
  },
  "filesystem": {
    "read_only": []
  },
  "resource_limits": {
    "memory_mb": 4096,
    "cpu_shares": 1024,
    "max_processes": 50,
    "max_open_files": 1024,
    "tmp_mb": 512
  },
  "ttl_seconds": 0,
  "stop_timeout_seconds": 10,
  "autostart": false
} as const;
