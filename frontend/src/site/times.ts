import { inUtc, localMoment } from "../shared/moments";

type Kind = Parameters<typeof localMoment>[1];

/** Show `<time data-local="datetime|date|time">` in the person's own zone, with UTC on hover. */
export function showLocalTimes(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLTimeElement>("time[data-local]")) {
    if (Number.isNaN(Date.parse(element.dateTime))) continue;
    element.title = inUtc(element.dateTime);
    element.textContent = localMoment(element.dateTime, (element.dataset["local"] as Kind | undefined) ?? "datetime");
  }
}
