import { mount } from "svelte";

import { readBoot } from "./boot";
import ChatRoom from "./ChatRoom.svelte";
import { fitToKeyboard } from "./keyboard";

const target = document.getElementById("chat");
if (target) {
  fitToKeyboard(document.documentElement);
  mount(ChatRoom, { target, props: { boot: readBoot() } });
}
