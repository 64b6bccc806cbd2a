import { inject } from "vitest";
import { describeContract } from "../bridge/contract.ts";
import { kafkaLogMaker } from "../support/kafka-log.ts";

describeContract("Kafka", kafkaLogMaker(inject("kafka").bootstrap), { isUtf8: true });
