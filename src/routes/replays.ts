import { readBody } from "../ingest/body.ts";
import { parseObject } from "../ingest/parse.ts";
import { problemFromLog } from "../kafka/pinned-topics.ts";
import { LogError } from "../kafka/port.ts";
import { Problem } from "../lib/problem.ts";
import { uuidv7 } from "../lib/uuid.ts";
import { replaySummary, replayText } from "../replays/answer.ts";
import { mostRunning, type ReplaySettings, type ReplayView, type Stretch } from "../replays/replay.ts";
import { lookUpStretches } from "../replays/stretches.ts";
import { type ReplayRequest, validateReplay } from "../replays/validate.ts";
import type { Services } from "../services.ts";
import { admit, type AppContext, idsOf } from "./operation.ts";
import { readParameters, replayParameters } from "./parameters.ts";

/** Bytes of a body at most: offsets of every partition have room in it. */
const largestBody = 262_144;
/** Longest wait for the log's offsets, in milliseconds. */
const longestOffsetsMs = 5_000;

const idForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** `POST /v1/replays`. */
export async function postReplay(context: AppContext): Promise<Response> {
  const { services, credential } = await admit(context, "operate");
  const { clock, config, replays } = services;
  const request = context.req.raw;
  const bytes = await readBody(request, config.limits, largestBody);
  const document = parseObject(request.headers, bytes).documents[0];
  const asked = validateReplay(document, config.partitionCount);
  if (!asked.ok) throw asked.error;
  const stretches = await lookUp(services, asked.value);
  const now = clock.now();
  const { analysis, topic, parameters, maximumRecords, maximumBytes } = asked.value;
  const settings: ReplaySettings = {
    id: uuidv7(now),
    analysis,
    topic,
    logTopic: config.topicPrefix + topic,
    parameters,
    ...placesOf(document),
    maximumRecords,
    maximumBytes,
    createdAt: now,
    createdBy: credential.id,
  };
  const answer = await replays((object) => object.start(settings, stretches, idsOf(context.var.operation)));
  if (answer.kind === "full") {
    throw new Problem("too-many-replays", `${mostRunning} are running already; wait for one, or cancel it`);
  }
  context.var.operation.fields.replay = settings.id;
  return json(replayText(answer.view), 202, { location: `/v1/replays/${settings.id}` });
}

/** `GET /v1/replays?limit`: the newest first. */
export async function listReplays(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const { limit } = readParameters(replayParameters, context.req.queries());
  const views = await services.replays((object) => object.list(limit));
  return context.json({ replays: views.map(replaySummary) });
}

/** `GET /v1/replays/{id}`. */
export async function getReplay(context: AppContext): Promise<Response> {
  const { services } = await admit(context, "operate");
  const id = readId(context);
  return answerView(await services.replays((object) => object.get(id)));
}

/** `DELETE /v1/replays/{id}`: ends it where it runs. */
export async function deleteReplay(context: AppContext): Promise<Response> {
  const { services, credential } = await admit(context, "operate");
  const id = readId(context);
  return answerView(
    await services.replays((object) => object.cancel(id, credential.id, idsOf(context.var.operation))),
  );
}

/** The stretches as the log is now. @throws {Problem} also where they are larger than may be read. */
async function lookUp({ clock, config, log }: Services, request: ReplayRequest): Promise<readonly Stretch[]> {
  const deadline = clock.now() + longestOffsetsMs;
  const topic = config.topicPrefix + request.topic;
  let stretches: readonly Stretch[];
  try {
    stretches = await lookUpStretches(log, topic, config.partitionCount, request, deadline);
  } catch (error) {
    throw error instanceof LogError ? problemFromLog(error) : error;
  }
  const offsets = stretches.reduce((sum, { from, to }) => sum + to - from, 0);
  if (offsets > request.maximumRecords) {
    const detail = `The stretch has ${offsets} offsets, and ${request.maximumRecords} records may be read`;
    throw new Problem("replay-too-large", detail);
  }
  return stretches;
}

/** As the client said them, to be told again. */
function placesOf(document: unknown): Pick<ReplaySettings, "from" | "to"> {
  const { from, to } = document as { from?: unknown; to?: unknown };
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

/** The id in the path; one that no replay can have is one that is not known. @throws {Problem} */
function readId(context: AppContext): string {
  const id = context.req.param("id") ?? "";
  if (!idForm.test(id)) throw unknown();
  context.var.operation.fields.replay = id;
  return id;
}

function answerView(view: ReplayView | null): Response {
  if (view === null) throw unknown();
  return json(replayText(view), 200);
}

function json(text: string, status: number, headers: Record<string, string> = {}): Response {
  return new Response(text, { status, headers: { "content-type": "application/json", ...headers } });
}

function unknown(): Problem {
  return new Problem("unknown-replay", "There is no such replay");
}
