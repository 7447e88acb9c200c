// The names of the queues. They do not change while a page is open, so they are asked for once.

let names = null;

export async function queueNames(client, signal) {
  names ??= (await client.get("/admin/queues", null, signal)).data.map((each) => each.queue);
  return names;
}
