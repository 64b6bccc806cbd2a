import type { IncomingHttpHeaders } from "node:http";
import type { InstanceId, InstanceSettings, OffsetReset } from "../groups.ts";
import { settlesWithin } from "../groups/wait.ts";
import { LogFailure } from "../log.ts";
import type { Exchange } from "./exchange.ts";
import { HttpError } from "./http-error.ts";
import { byteLength, checkBatch, DEFAULT_WAIT_MS, recordsReply } from "./read.ts";
import type { Reply } from "./reply.ts";
import { requireRight, type Rights } from "./rights.ts";
import { object, texts, timeout, topicPartition, topicPartitionOffset } from "./validate.ts";

const DEFAULT_COMMITTED_WAIT_MS = 10_000;
const MAX_NAME_LENGTH = 249;
const SUCCESS: Reply = { body: '{"result":"Success","status":200}' };

/** Kafka's bounds unless its operator sets others (`group.min` and `group.max.session.timeout.ms`). */
const SESSION_TIMEOUT_MS = { least: 6_000, most: 1_800_000 };
const AUTO_COMMIT_INTERVAL_MS = { least: 1, most: 3_600_000 };

/** Hands out records to an instance, waiting up to the body's timeout for the group and for a first one. */
export async function consume(exchange: Exchange, id: InstanceId, body: unknown): Promise<Reply> {
  const { log, limits, rights, request } = exchange;
  checkNames(id);
  const topics = topicsOf(body);
  checkBatch(topics.length, limits);
  for (const topic of topics) requireRight(rights, "consume", topic);
  const handed = await log.groups.consume({
    ...id,
    topics,
    settings: settingsOf(request.headers),
    maxBytes: limits.maxAnswerBytes,
    timeoutMs: timeout(object(body, "")["timeout"], DEFAULT_WAIT_MS, limits.maxWaitMs),
    signal: exchange.waitSignal(),
  });
  const { records } = handed.read;
  try {
    exchange.reserve(byteLength(records));
  } catch (error) {
    await handed.takeBack();
    throw error;
  }
  // Where it fails, the records count as handed out, as if the answer were lost beyond this host.
  const undelivered = () => void handed.takeBack().catch(() => undefined);
  return { ...recordsReply(handed.read), reserved: true, undelivered };
}

/** Commits offsets, or without any all that was handed out to the instance. */
export async function commit(exchange: Exchange, id: InstanceId, body: unknown): Promise<Reply> {
  const { log, limits, rights } = exchange;
  checkNames(id);
  const offsets = body === undefined || body === null ? null : listOf(body, topicPartitionOffset);
  checkBatch(offsets?.length ?? 0, limits);
  for (const { topic } of offsets ?? []) requireRight(rights, "consume", topic);
  await log.groups.commit({ ...id, offsets, authorize: authorizer(rights) });
  return SUCCESS;
}

/** The group's offsets, -1 where it has none, in the order asked for. */
export async function listCommitted(
  exchange: Exchange,
  id: InstanceId,
  body: unknown,
  timeoutMs: number | undefined,
): Promise<Reply> {
  const { log, limits, rights } = exchange;
  checkNames(id);
  const wanted = listOf(body, topicPartition);
  checkBatch(wanted.length, limits);
  for (const { topic } of wanted) requireRight(rights, "consume", topic);
  const asking = log.groups.committed(id.group, wanted);
  const waitMs = timeout(timeoutMs, DEFAULT_COMMITTED_WAIT_MS, limits.maxWaitMs);
  if (!(await settlesWithin(asking, waitMs))) {
    throw new LogFailure("timeout", "none", "the group's offsets did not come in time");
  }
  return { body: JSON.stringify(await asking) };
}

/** Groups, their instances and who has which partitions, as far as the rights allow the topics. */
export async function listConsumers({ log, rights }: Exchange): Promise<Reply> {
  const allowed = (topic: string) => rights.allows("consume", topic);
  // A group that rebalances tells no topics: whoever may consume all of them sees its instances.
  const mayKnow = (topics: readonly string[]) => (topics.length === 0 ? ["*"] : topics).some(allowed);
  const groups = (await log.groups.list()).map(({ name, instances }) => ({
    name,
    instances: instances
      .filter(({ subscribed }) => mayKnow(subscribed))
      .map(({ name: instance, assigned }) => ({
        name: instance,
        topics: assigned.filter(({ topic }) => allowed(topic)),
      })),
  }));
  return { body: JSON.stringify(groups.filter(({ instances }) => instances.length > 0)) };
}

/** Takes an instance out of its group; also one that is in none, since an answer may be lost. */
export async function removeInstance({ log, rights }: Exchange, id: InstanceId): Promise<Reply> {
  checkNames(id);
  await log.groups.remove({ ...id, authorize: authorizer(rights) });
  return SUCCESS;
}

function authorizer(rights: Rights): (topic: string) => void {
  return (topic) => requireRight(rights, "consume", topic);
}

/** Kafka takes these names as `group.instance.id`, and any text as a group's name. */
function checkNames({ group, instance }: InstanceId): void {
  if (group.length > MAX_NAME_LENGTH) {
    throw new HttpError(400, `a group's name takes at most ${MAX_NAME_LENGTH} characters`);
  }
  if (!/^[\w.-]{1,249}$/.test(instance) || instance === "." || instance === "..") {
    throw new HttpError(
      400,
      `an instance's name takes at most ${MAX_NAME_LENGTH} letters, digits, dots, dashes and underscores`,
    );
  }
}

function topicsOf(body: unknown): readonly string[] {
  const { topic, topics } = object(body, "");
  if ((topic ?? null) !== null) return texts([topic], "topic");
  return texts(topics, "topics");
}

function listOf<T>(body: unknown, read: (value: unknown, place: string) => T): T[] {
  if (!Array.isArray(body)) return [read(body, "")];
  return body.map((value: unknown, index) => read(value, `[${index}].`));
}

/** @throws {HttpError} 400 for a value that is none, also where the instance has its settings already. */
function settingsOf(headers: IncomingHttpHeaders): InstanceSettings {
  return {
    autoCommit: choice(headers, "kafka-enable-auto-commit", ["true", "false"]) === "true",
    autoCommitIntervalMs: milliseconds(headers, "kafka-auto-commit-interval", 5_000, AUTO_COMMIT_INTERVAL_MS),
    offsetReset: choice<OffsetReset>(headers, "kafka-auto-offset-reset", ["latest", "earliest", "none"]),
    sessionTimeoutMs: milliseconds(headers, "kafka-session-timeout-ms", 120_000, SESSION_TIMEOUT_MS),
  };
}

/** The first of the values where the header is missing. */
function choice<T extends string>(
  headers: IncomingHttpHeaders,
  name: string,
  values: readonly [T, ...T[]],
): T {
  const given = headers[name];
  if (given === undefined) return values[0];
  const found = values.find((value) => value === String(given).toLowerCase());
  if (found === undefined) throw new HttpError(400, `${name} must be one of ${values.join(", ")}`);
  return found;
}

function milliseconds(
  headers: IncomingHttpHeaders,
  name: string,
  fallback: number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  const given = headers[name];
  if (given === undefined) return fallback;
  const value = /^\d{1,10}$/.test(String(given)) ? Number(given) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new HttpError(400, `${name} must be from ${least} to ${most} milliseconds`);
}
