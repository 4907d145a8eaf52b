/** One server-sent event. */
export interface Frame {
  id: string | null;
  event: string;
  data: string;
}

/** Cuts a stream of text into events, however it was torn on the way. Comments are heartbeats and give nothing. */
export class FrameReader {
  #rest = "";

  push(chunk: string): Frame[] {
    const blocks = (this.#rest + chunk).replace(/\r\n?/g, "\n").split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks.map(readFrame).filter((frame) => frame !== null);
  }
}

function readFrame(block: string): Frame | null {
  const frame: Frame = { id: null, event: "message", data: "" };
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    if (field === "event") frame.event = value;
    if (field === "id") frame.id = value;
  }
  return data.length > 0 ? { ...frame, data: data.join("\n") } : null;
}
