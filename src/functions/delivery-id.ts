/** What stays the same of a record and a function at every attempt. */
export function deliveryId(topic: string, partition: number, offset: number, name: string): string {
  return `${topic}/${partition}/${offset}/${name}`;
}
