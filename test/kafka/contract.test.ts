import { beforeAll, inject } from "vitest";
import { describeContract } from "../bridge/contract.ts";
import { kafkaLogMaker, removeAllTopics } from "../support/kafka-log.ts";

const brokers = inject("kafka").bootstrap;

// The contract asks for all topics that there are.
beforeAll(() => removeAllTopics(brokers));

describeContract("Kafka", kafkaLogMaker(brokers), { isUtf8: true });
