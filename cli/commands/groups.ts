import { groupsAnswer } from "../answers.ts";
import type { Command } from "../command.ts";
import { table } from "../table.ts";

export const groups: Command = {
  name: "groups",
  summary: "Lists the groups, what they read and what they drive",
  parameters: "",
  least: 0,
  most: 0,
  help: "A group reads its topics by itself, one object per partition. Group auction\nkeeps state and drives no functions.",
  async run({ gateway, width }) {
    const answer = await gateway.request(groupsAnswer, "GET", "/v1/groups");
    const rows = answer.groups.map(({ group, topics, functions, partitions }) => [
      group,
      String(partitions),
      topics.join(", "),
      typeof functions === "string" ? functions : functions.join(", "),
    ]);
    const columns = [
      { title: "GROUP" },
      { title: "PARTITIONS", isNumber: true },
      { title: "TOPICS", isCut: "late" },
      { title: "FUNCTIONS", isCut: "late" },
    ] as const;
    return { text: table(columns, rows, width), json: answer };
  },
};
