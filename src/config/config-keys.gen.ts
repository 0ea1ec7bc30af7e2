// Generated from schema/config.schema.json by `npm run generate`; not edited by hand.
import type { SchemaKey } from '../card/schema-key.ts';

/** Every key of a configuration, in the order of the schema. */
export const CONFIG_KEYS: readonly SchemaKey[] = [
  {
    "pointer": "/$schema",
    "title": "Schema",
    "type": "string",
    "most": 1024,
    "example": "/usr/share/agent-spawn/schema/config.schema.json"
  },
  {
    "pointer": "/cards_dir",
    "title": "Directory of cards",
    "type": "string",
    "most": 4095,
    "example": "/srv/agents/cards"
  },
  {
    "pointer": "/uid_first",
    "title": "First uid",
    "type": "integer",
    "least": 65536,
    "most": 2147418112,
    "example": 1800000000
  },
  {
    "pointer": "/uid_count",
    "title": "Number of uids",
    "type": "integer",
    "least": 4096,
    "most": 65536,
    "example": 8192
  },
  {
    "pointer": "/publish_addresses",
    "title": "Addresses for published ports",
    "type": "array",
    "most": 2,
    "example": [
      "loopback",
      "any"
    ]
  },
  {
    "pointer": "/publish_addresses/*",
    "title": "publish_addresses/*",
    "type": "string",
    "allowed": [
      "loopback",
      "any"
    ]
  },
  {
    "pointer": "/allow_host_network",
    "title": "Network of the host",
    "type": "boolean",
    "example": true
  },
  {
    "pointer": "/allow_readable_keys",
    "title": "Readable keys",
    "type": "boolean",
    "example": true
  },
  {
    "pointer": "/veth_range",
    "title": "Range of links",
    "type": "string",
    "most": 18,
    "example": "172.30.0.0/16"
  },
  {
    "pointer": "/proxy",
    "title": "Upstream proxy",
    "type": "string",
    "most": 300,
    "example": "http://10.100.1.1:3128"
  },
  {
    "pointer": "/restart_changed",
    "title": "Restart changed agents",
    "type": "boolean",
    "example": true
  },
  {
    "pointer": "/log_level",
    "title": "Log level",
    "type": "string",
    "allowed": [
      "trace",
      "debug",
      "info",
      "warn",
      "error"
    ],
    "example": "debug"
  }
];

/** What holds for a key that a configuration leaves out, in the shape of a configuration. */
export const CONFIG_DEFAULTS = {
  "cards_dir": "/etc/agents",
  "uid_first": 1900000000,
  "uid_count": 65536,
  "publish_addresses": [
    "loopback"
  ],
  "allow_host_network": false,
  "allow_readable_keys": false,
  "veth_range": "10.213.0.0/16",
  "restart_changed": false,
  "log_level": "info"
} as const;
