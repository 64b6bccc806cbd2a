/** Listeners beside the plain one, named as Kafka names their protocol. */
export type SecureListener = "SSL" | "SASL_PLAINTEXT" | "SASL_SSL";
export type ListenerName = "PLAINTEXT" | SecureListener;

/** What a broker is told; everything else has Kafka's default. */
export interface NodeProperties {
  readonly id: number;
  /** Where the log is. */
  readonly data: string;
  /** Port of each listener, beside the controller's. */
  readonly ports: Readonly<Partial<Record<ListenerName, number>>>;
  /** Controllers of the cluster: port by node id. */
  readonly controllers: ReadonlyMap<number, number>;
  /** PEM file with a private key and its certificate, for the TLS listeners. */
  readonly certificate?: string | undefined;
  /** Passwords by user, for PLAIN; SCRAM's are made when the data directory is formatted. */
  readonly users: Readonly<Record<string, string>>;
  /** Broker settings that take the place of those made here. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Mechanisms of every SASL listener. OAUTHBEARER takes unsigned tokens: it is for tests. */
const mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] as const;

/** The text of `server.properties` for a node that is broker and controller in one. */
export function serverProperties(node: NodeProperties): string {
  const properties = {
    ...identity(node),
    ...listeners(node),
    ...replication(node.controllers.size),
    ...frugality,
    ...(node.certificate === undefined ? {} : tls(node.certificate)),
    ...sasl(node),
    ...node.settings,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll("\\", "\\\\")}\n`)
    .join("");
}

function identity({ id, data, controllers }: NodeProperties): Record<string, string> {
  const voters = [...controllers].map(([voter, port]) => `${voter}@127.0.0.1:${port}`);
  return {
    "process.roles": "broker,controller",
    "node.id": String(id),
    "controller.quorum.voters": voters.join(","),
    "log.dirs": data,
  };
}

function listeners({ id, ports, controllers }: NodeProperties): Record<string, string> {
  const advertised = Object.entries(ports).map(([name, port]) => `${name}://127.0.0.1:${port}`);
  const protocols = Object.keys(ports).map((name) => `${name}:${name}`);
  return {
    listeners: [...advertised, `CONTROLLER://127.0.0.1:${controllers.get(id)}`].join(","),
    "advertised.listeners": advertised.join(","),
    "listener.security.protocol.map": [...protocols, "CONTROLLER:PLAINTEXT"].join(","),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
  };
}

/** Three nodes keep a record in three places and acknowledge it in two at least; one in one. */
function replication(nodes: number): Record<string, string> {
  const replicas = String(Math.min(nodes, 3));
  const inSync = nodes >= 3 ? "2" : "1";
  return {
    "default.replication.factor": replicas,
    "min.insync.replicas": inSync,
    "offsets.topic.replication.factor": replicas,
    "transaction.state.log.replication.factor": replicas,
    "transaction.state.log.min.isr": inSync,
    "share.coordinator.state.topic.replication.factor": replicas,
    "share.coordinator.state.topic.min.isr": inSync,
  };
}

/** For one machine: few internal partitions and threads, and no long waits. */
const frugality = {
  "auto.create.topics.enable": "false",
  "num.partitions": "1",
  "offsets.topic.num.partitions": "4",
  "transaction.state.log.num.partitions": "4",
  "share.coordinator.state.topic.num.partitions": "4",
  "group.initial.rebalance.delay.ms": "0",
  // A broker that was killed may come back once its old session is over; 9 s is Kafka's default.
  "broker.session.timeout.ms": "3000",
  "broker.heartbeat.interval.ms": "500",
  "num.network.threads": "2",
  "num.io.threads": "4",
};

function tls(certificate: string): Record<string, string> {
  return {
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": certificate,
    // A client that is asked for a certificate (`ssl.client.auth`) may show the same one.
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": certificate,
  };
}

function sasl({ ports, users }: NodeProperties): Record<string, string> {
  const names = Object.keys(ports).filter((name) => name.startsWith("SASL_"));
  if (names.length === 0) return {};
  const modules = {
    PLAIN: [
      "plain.PlainLoginModule",
      ...Object.entries(users).map(([name, password]) => user(name, password)),
    ],
    "SCRAM-SHA-256": ["scram.ScramLoginModule"],
    "SCRAM-SHA-512": ["scram.ScramLoginModule"],
    OAUTHBEARER: ["oauthbearer.OAuthBearerLoginModule", "unsecuredLoginStringClaim_sub=broker"],
  };
  const perMechanism = mechanisms.flatMap((mechanism) => {
    const [module = "", ...options] = modules[mechanism];
    const required = [`org.apache.kafka.common.security.${module} required`, ...options].join(" ");
    return names.map((name) => [`${prefix(name, mechanism)}.sasl.jaas.config`, `${required};`] as const);
  });
  return { "sasl.enabled.mechanisms": mechanisms.join(","), ...Object.fromEntries(perMechanism) };
}

function prefix(listener: string, mechanism: string): string {
  return `listener.name.${listener.toLowerCase()}.${mechanism.toLowerCase()}`;
}

function user(name: string, password: string): string {
  return `user_${name}=${quoted(password)}`;
}

/** As JAAS reads a value. */
function quoted(value: string): string {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** Arguments that make SCRAM's users when a log is formatted. Quotes there are stripped, not escaped. */
export function scramArguments(users: Readonly<Record<string, string>>): string[] {
  return Object.entries(users).flatMap(([name, password]) =>
    ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
      "--add-scram",
      `${mechanism}=[name=${name},password="${password}"]`,
    ]),
  );
}
