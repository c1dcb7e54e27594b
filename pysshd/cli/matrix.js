"use strict";
(() => {
  const fields = ["person", "group", "permission", "source"].map((id) => document.getElementById(id));
  const rows = [...document.querySelectorAll("tbody tr")];
  const fault = document.getElementById("fault");

  // An address as [version, number], or null: IPv4, IPv6, and IPv4 inside IPv6, which is IPv4.
  function address(text) {
    const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
    if (four) {
      const parts = four.slice(1).map(Number);
      return parts.every((part) => part < 256) ? [4, parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n)] : null;
    }
    if (!/^[0-9a-f:]+(\d+\.\d+\.\d+\.\d+)?$/i.test(text) || !text.includes(":")) return null;
    const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
    if (tail) {
      const last = address(tail[2]);
      if (!last) return null;
      return address(tail[1] + (last[1] >> 16n).toString(16) + ":" + (last[1] & 0xffffn).toString(16));
    }
    const halves = text.split("::");
    if (halves.length > 2) return null;
    const [head, rest] = halves.map((half) => (half ? half.split(":") : []));
    const missing = 8 - head.length - (rest ? rest.length : 0);
    if (rest ? missing < 1 : missing !== 0) return null;
    const groups = [...head, ...Array(rest ? missing : 0).fill("0"), ...(rest || [])];
    if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
    const number = groups.reduce((sum, group) => (sum << 16n) + BigInt("0x" + group), 0n);
    return number >> 32n === 0xffffn ? [4, number & 0xffffffffn] : [6, number];
  }

  function inside(ranges, [version, number]) {
    return ranges.split(" ").some((range) => {
      const [, kind, first, last] = /^(\d):([0-9a-f]+)-([0-9a-f]+)$/.exec(range) || [];
      return Number(kind) === version && BigInt("0x" + first) <= number && number <= BigInt("0x" + last);
    });
  }

  // Whether a line of the policy counts for who comes from there; null: wherever that is.
  function counts(reason, from) {
    const { sources, others } = reason.dataset;
    if (!from) return true;
    return (sources === undefined || inside(sources, from)) && !(others !== undefined && inside(others, from));
  }

  // Whether a line denies all of a cell, whatever else is known of who comes from there.
  function denied(reason) {
    const { kind, bare, whole } = reason.dataset;
    return kind === "deny" && bare !== undefined && whole !== undefined;
  }

  function show() {
    const [person, group, permission, source] = fields.map((field) => field.value.trim());
    const from = source ? address(source) : null;
    fault.hidden = !source || from !== null;
    fault.textContent = fault.hidden ? "" : "This is no address; nothing is left out for it.";
    let shown = 0;
    for (const row of rows) {
      let matches = row.dataset.person.toLowerCase().includes(person.toLowerCase());
      matches = matches && (!group || row.dataset.groups.split(" ").includes(group));
      let login = true;
      for (const cell of row.querySelectorAll("td")) {
        const reasons = [...cell.querySelectorAll("li[data-kind]")];
        for (const reason of reasons) reason.hidden = !counts(reason, from);
        const left = reasons.filter((reason) => !reason.hidden);
        let may = cell.dataset.state !== "no" && cell.dataset.state !== "denied";
        may = may && (!from || (left.some((reason) => reason.dataset.kind === "allow") && !left.some(denied)));
        if (cell.dataset.column === "login") login = may;
        may = may && login;
        cell.classList.toggle("elsewhere", Boolean(from) && !may && cell.dataset.state !== "no");
        cell.hidden = Boolean(permission) && cell.dataset.column !== permission;
        if (permission && cell.dataset.column === permission) matches = matches && may;
      }
      row.hidden = !matches;
      shown += matches ? 1 : 0;
    }
    for (const head of document.querySelectorAll("thead th[data-column]")) {
      head.hidden = Boolean(permission) && head.dataset.column !== permission;
    }
    document.getElementById("count").textContent = shown + " of " + rows.length;
  }

  // The filter stands in the address of the page, so that what is seen can be shown to somebody else.
  function keep() {
    const words = new URLSearchParams();
    for (const field of fields) if (field.value) words.set(field.id, field.value);
    history.replaceState(null, "", words.size ? "#" + words : location.pathname + location.search);
  }

  function restore() {
    const words = new URLSearchParams(location.hash.slice(1));
    for (const field of fields) field.value = words.get(field.id) || "";
    show();
  }

  const form = document.getElementById("filters");
  form.addEventListener("input", () => { keep(); show(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { keep(); show(); }));
  window.addEventListener("hashchange", restore);
  restore();
})();
