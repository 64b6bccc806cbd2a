import type { PartitionDependencies } from "./dependencies.ts";

/** Topics that group `auction` reads. */
export type ReadTopic = "journal" | "items";

/** Under the name of a topic that was read is another one now: its offsets mean nothing here. */
export class TopicReplaced extends Error {
  override readonly name = "TopicReplaced";
}

interface Identity {
  readonly topic: string;
  /** The id of the topic that the position is of. */
  readonly id: string;
  /** The id that was found instead. */
  readonly found?: string;
}

type Identities<Role extends string> = Partial<Record<Role, Identity>>;

/**
 * Which topics, in Kafka's sense of KIP-516, the positions are of. A topic that was deleted and made
 * again bears the same name and may have outgrown the position, so that offsets cannot tell; its id
 * can. What was found is stored: a partition that stopped stays so across restarts, until the log
 * answers with the topic that was read, or the storage is wiped.
 */
export class TopicIdentities<Role extends string> {
  private readonly dependencies: PartitionDependencies;
  private readonly names: Readonly<Record<Role, string>>;
  private readonly isUntouched: (role: Role) => boolean;
  private identities: Identities<Role> = {};

  /**
   * @param names topics as named in the log
   * @param isUntouched whether nothing of a topic has taken effect
   */
  constructor(
    dependencies: PartitionDependencies,
    names: Readonly<Record<Role, string>>,
    isUntouched: (role: Role) => boolean,
  ) {
    this.dependencies = dependencies;
    this.names = names;
    this.isUntouched = isUntouched;
  }

  private get roles(): Role[] {
    return Object.keys(this.names) as Role[];
  }

  load(): void {
    const { storage } = this.dependencies;
    const [row] = storage.all<{ value: string }>(`SELECT value FROM bookkeeping WHERE name = 'topic_ids'`);
    this.identities = row === undefined ? {} : (JSON.parse(row.value) as Identities<Role>);
  }

  idOf(role: Role): string | undefined {
    return this.identities[role]?.id;
  }

  /** Whether a topic's id is the one that the position is of, as far as is known. */
  matches(role: Role, topicId: string | undefined): boolean {
    const known = this.idOf(role);
    return topicId === undefined || known === undefined || topicId === known;
  }

  /**
   * Holds what the log answered against what is known. The first id is kept before anything of its
   * topic takes effect; a topic of which nothing has yet may be another one the next time.
   * @throws {TopicReplaced}
   */
  recognize(role: Role, topicId: string | undefined): void {
    if (topicId === undefined) return;
    const known = this.identities[role];
    if (known === undefined || (topicId !== known.id && this.isUntouched(role))) {
      this.keep(role, { topic: this.names[role], id: topicId });
    } else if (topicId !== known.id) {
      if (known.found !== topicId) this.keep(role, { ...known, found: topicId });
      throw new TopicReplaced(this.stopped);
    } else if (known.found !== undefined) {
      this.keep(role, { topic: known.topic, id: known.id });
    }
  }

  /** Whether nothing may be applied, relayed or sent any more. */
  get isStopped(): boolean {
    return this.roles.some((role) => this.identities[role]?.found !== undefined);
  }

  /** Why the partition stopped and what to do, in plain sentences; undefined while it runs. */
  get stopped(): string | undefined {
    if (!this.isStopped) return undefined;
    const told = this.roles.flatMap((role) => this.tell(role));
    return `${told.join("; ")}. Nothing is applied until the topic that was read is back; docs/kafka.md says what else can be done`;
  }

  private tell(role: Role): string[] {
    const { topic, id, found } = this.identities[role] ?? {};
    if (topic === undefined || found === undefined) return [];
    const name = this.names[role];
    const what =
      topic === name ? "was deleted and made again" : `is another topic than ${topic}, which was read`;
    return [
      `${name} ${what}: this partition's position is of the topic with id ${id}, the log has id ${found}`,
    ];
  }

  private keep(role: Role, identity: Identity): void {
    const { logger, partition, storage } = this.dependencies;
    const identities = { ...this.identities, [role]: identity };
    storage.run(
      `INSERT OR REPLACE INTO bookkeeping (name, value) VALUES ('topic_ids', ?)`,
      JSON.stringify(identities),
    );
    this.identities = identities;
    if (identity.found !== undefined) logger("error", "partition.stopped", { partition, ...identity });
  }
}
