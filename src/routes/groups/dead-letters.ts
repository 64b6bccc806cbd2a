import type { Redriven } from "../../../durable-objects/functions/rpc.ts";
import { type RedriveBody, validateRedrive } from "../../groups/operations.ts";
import { deadLetterBody, deadLetterId } from "../../groups/view.ts";
import { Problem } from "../../lib/problem.ts";
import { admit, type AppContext } from "../operation.ts";
import { deadLetterParameters, readParameters } from "../parameters.ts";
import { audited } from "../audit.ts";
import { readOperation } from "./body.ts";
import { readFunctionGroup } from "./place.ts";

/**
 * `GET /v1/groups/{group}/dead-letters?limit&partition&before`: newest first, of all partitions; of
 * one of them also page by page.
 */
export async function getDeadLetters(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const group = readFunctionGroup(context);
  const { limit, partition, before } = readParameters(deadLetterParameters, context.req.queries());
  const objects = services.functionPartitions[group];
  if (partition === undefined) {
    if (before !== undefined) throw new Problem("invalid-parameter", "before: needs a partition beside it");
    const found = await objects.callAll((object) => object.deadLetters(limit));
    const letters = found.flatMap((entries, of) => entries.map((entry) => ({ of, entry })));
    letters.sort((left, right) => right.entry.endedAt - left.entry.endedAt);
    const newest = letters.slice(0, limit);
    return Response.json({ group, deadLetters: newest.map(({ of, entry }) => deadLetterBody(of, entry)) });
  }
  if (partition >= objects.count) throw new Problem("not-found", "No partition has this number");
  const id = before === undefined ? undefined : idIn(partition, before);
  const entries = await objects.call(partition, (object) => object.deadLetters(limit, id));
  const last = entries.at(-1);
  const next = last === undefined || entries.length < limit ? {} : { next: deadLetterId(partition, last.id) };
  const deadLetters = entries.map((entry) => deadLetterBody(partition, entry));
  return Response.json({ group, deadLetters, ...next });
}

/** The number of a dead letter in its partition. @throws {Problem} where it is of another one */
function idIn(partition: number, id: string): number {
  const [of, number] = id.split("-");
  if (Number(of) === partition) return Number(number);
  throw new Problem("invalid-parameter", "before: must be the next of an answer for the same partition");
}

/** What came of one partition's: a partition that failed keeps no other's answer back. */
type PartitionAnswer = { readonly partition: number } & (Redriven | Pick<Problem, "code" | "detail">);

/** `POST /v1/groups/{group}/dead-letters/redrive {"ids"} | {"all": true}`: each partition's in offset order. */
export async function postRedrive(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const group = readFunctionGroup(context);
  const body = await readOperation(context, services, validateRedrive);
  const objects = services.functionPartitions[group];
  const wanted = wantedOf(body, objects.count);
  const action = "dead-letters.redriven";
  const settled = await Promise.allSettled(
    wanted.map(({ partition, ids }) =>
      audited(
        context,
        services,
        { action, group, partition, ids },
        () => objects.change(partition, (object) => object.redrive(ids)),
        ({ redriven }) => (redriven === 0 ? null : { redriven }),
      ),
    ),
  );
  const failed = settled.find((one) => one.status === "rejected");
  if (failed !== undefined && settled.every(({ status }) => status === "rejected")) throw failed.reason;
  const partitions = wanted.map(({ partition }, index) => answerOf(partition, settled[index]));
  return Response.json({ group, ...totalOf(partitions), partitions });
}

function answerOf(partition: number, settled: PromiseSettledResult<Redriven> | undefined): PartitionAnswer {
  if (settled?.status === "fulfilled") return { partition, ...settled.value };
  const reason: unknown = settled?.reason;
  if (!(reason instanceof Problem)) throw reason;
  return { partition, code: reason.code, detail: reason.detail };
}

/** Which dead letters are meant, by the partition that has them; ids of no partition are nobody's. */
function wantedOf(body: RedriveBody, count: number): { partition: number; ids: number[] | "all" }[] {
  const partitions = Array.from({ length: count }, (_, partition) => partition);
  if ("all" in body) return partitions.map((partition) => ({ partition, ids: "all" }));
  const places = body.ids.map((id) => id.split("-").map(Number));
  return partitions.flatMap((partition) => {
    const ids = places.flatMap(([of, id]) => (of === partition && id !== undefined ? [id] : []));
    return ids.length === 0 ? [] : [{ partition, ids }];
  });
}

/** Of the partitions that answered. */
function totalOf(partitions: readonly PartitionAnswer[]): Redriven {
  const answers = partitions.filter((one) => "redriven" in one);
  return {
    redriven: answers.reduce((sum, { redriven }) => sum + redriven, 0),
    left: answers.reduce((sum, { left }) => sum + left, 0),
  };
}
