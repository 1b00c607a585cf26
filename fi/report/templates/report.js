'use strict';
(() => {
  const PAGE = 50;
  const byId = (id) => document.getElementById(id);

  // The only way this script makes elements: text stays text.
  function element(tag, options = {}, children = []) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(options)) {
      if (key === 'text') node.textContent = value;
      else if (key === 'class') node.className = value;
      else node.setAttribute(key, value);
    }
    node.append(...children);
    return node;
  }

  function labelled(label, text, options = {}) {
    if (!text) return [];
    return [element('p', { class: 'label', text: label }), element('p', { text, dir: 'auto', ...options })];
  }

  function tokenList(label, tokens) {
    if (!tokens.length) return [];
    const codes = tokens.flatMap((token) => [element('code', { text: token.trim() || '␣' }), ' ']);
    return [element('p', { class: 'label', text: label }), element('p', { class: 'tokens' }, codes)];
  }

  function example(entry) {
    const spans = entry.tokens.map(([text, value]) => {
      const span = element('span', { class: 'token', text: text.replace(/\n/g, '⏎\n') });
      if (value > 0.04) {
        span.style.setProperty('--v', value);
        span.title = 'activation ' + value.toFixed(2) + ' of its largest';
      } else {
        span.style.setProperty('--v', 0);
      }
      return span;
    });
    const place = entry.category ? entry.model + ', ' + entry.category : entry.model;
    return [element('p', { class: 'label', text: place }), element('p', { class: 'example ' + entry.model, dir: 'auto' }, spans)];
  }

  function useBars(feature) {
    const most = Math.max(feature.base_use, feature.target_use, 1e-12);
    const cells = ['base', 'target'].flatMap((model) => {
      const bar = element('div', { class: 'bar ' + model });
      bar.style.width = (100 * feature[model + '_use']) / most + '%';
      return [element('span', { text: model }), element('span', {}, [bar]), element('span', { text: feature[model + '_text'] })];
    });
    return element('div', { class: 'use' }, cells);
  }

  function callout(feature) {
    const about = ['explains ' + feature.share_text + ' of its layer’s difference'];
    if (feature.engine) about.push('found by ' + feature.engine);
    if (feature.score) about.push('name score ' + feature.score);
    const left = element('div', {}, [
      element('p', { class: 'big' + (feature.name ? '' : ' unnamed'), text: feature.name || 'Unnamed feature', dir: 'auto' }),
      ...labelled('fires on', feature.fires_on),
      ...labelled('promotes', feature.promotes),
      element('p', { class: 'label', text: 'mean use over all tokens' }),
      useBars(feature),
      ...feature.categories.slice(0, 1).flatMap(() => [
        element('p', { class: 'label', text: 'strongest in (base → target)' }),
        element('p', { dir: 'auto', text: feature.categories.slice(0, 4).map(([name, a, b]) => name + ' ' + a + ' → ' + b).join(' · ') }),
      ]),
      element('p', { class: 'label', text: about.join(' · ') }),
    ]);
    const right = element('div', {}, [
      ...feature.examples.slice(0, 6).flatMap(example),
      ...tokenList('raises the chance of', feature.up),
      ...tokenList('lowers the chance of', feature.down),
    ]);
    return element('div', { class: 'callout ' + feature.kind }, [left, right]);
  }

  function searchText(feature) {
    const tokens = feature.examples.flatMap((entry) => entry.tokens.map(([text]) => text)).join('');
    const parts = [feature.id, feature.name, feature.fires_on, feature.promotes, feature.engine, tokens];
    return parts.concat(feature.up, feature.down, feature.categories.map(([name]) => name)).join('\n').toLowerCase();
  }

  function startFeatures() {
    const table = byId('feature-table');
    if (!table) return;
    const all = JSON.parse(byId('feature-data').textContent);
    const texts = new Map(all.map((feature) => [feature, searchText(feature)]));
    const body = table.tBodies[0];
    const controls = { text: byId('feature-text'), kind: byId('feature-kind'), layer: byId('feature-layer') };
    const open = new Set();
    const sort = { key: null, down: true };
    let shown = [];
    let limit = PAGE;

    function fill(select, values, label) {
      for (const value of values) select.append(element('option', { value, text: label(value) }));
    }
    fill(controls.kind, [...new Set(all.map((feature) => feature.kind))].sort(), (kind) => kind);
    fill(controls.layer, [...new Set(all.map((feature) => feature.layer))].sort((a, b) => a - b), (layer) => 'layer ' + layer);

    function toggle(feature, row, button) {
      const isOpen = button.getAttribute('aria-expanded') === 'true';
      button.setAttribute('aria-expanded', String(!isOpen));
      row.classList.toggle('has-callout', !isOpen);
      if (isOpen) {
        open.delete(feature);
        row.nextElementSibling.remove();
      } else {
        open.add(feature);
        const cell = element('td', { class: 'callout-cell', colspan: '6' }, [callout(feature)]);
        row.after(element('tr', {}, [cell]));
      }
    }

    function row(feature) {
      const button = element('button', { class: 'open', type: 'button', 'aria-expanded': 'false' }, [
        element('b', { class: feature.name ? '' : 'unnamed', text: feature.name || 'unnamed', dir: 'auto' }),
        element('code', { text: feature.id }),
      ]);
      const line = element('tr', { id: feature.anchor }, [
        element('th', { scope: 'row' }, [button]),
        element('td', {}, [element('span', { class: 'chip kind ' + feature.kind, text: feature.kind })]),
        ...[feature.layer, feature.share_text, feature.base_text, feature.target_text].map((text) => element('td', { text })),
      ]);
      button.addEventListener('click', () => toggle(feature, line, button));
      return [line, button];
    }

    function draw() {
      const fragment = document.createDocumentFragment();
      const reopen = [];
      for (const feature of shown.slice(0, limit)) {
        const [line, button] = row(feature);
        fragment.append(line);
        if (open.has(feature)) reopen.push([feature, line, button]);
      }
      body.replaceChildren(fragment);
      for (const parts of reopen) toggle(...parts);
      byId('feature-count').textContent = shown.length === all.length ? all.length + ' features' : shown.length + ' of ' + all.length + ' features';
      byId('feature-more').hidden = shown.length <= limit;
    }

    function compare(a, b) {
      const [x, y] = [a[sort.key], b[sort.key]];
      const order = typeof x === 'number' ? x - y : x < y ? -1 : x > y ? 1 : 0;
      return sort.down ? -order : order;
    }

    function filter() {
      const words = controls.text.value.toLowerCase().split(/\s+/).filter(Boolean);
      shown = all.filter(
        (feature) =>
          (!controls.kind.value || feature.kind === controls.kind.value) &&
          (!controls.layer.value || String(feature.layer) === controls.layer.value) &&
          words.every((word) => texts.get(feature).includes(word)),
      );
      if (sort.key) shown.sort(compare);
      limit = PAGE;
      draw();
    }

    for (const head of table.tHead.querySelectorAll('th[data-sort]')) {
      const button = element('button', { type: 'button', text: head.textContent });
      head.replaceChildren(button);
      button.addEventListener('click', () => {
        sort.down = sort.key === head.dataset.sort ? !sort.down : head.dataset.sort !== 'id' && head.dataset.sort !== 'kind';
        sort.key = head.dataset.sort;
        for (const other of table.tHead.querySelectorAll('th')) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', sort.down ? 'descending' : 'ascending');
        filter();
      });
    }
    for (const control of Object.values(controls)) control.addEventListener('input', filter);
    const clear = () => {
      for (const control of Object.values(controls)) control.value = '';
      filter();
    };
    byId('feature-clear').addEventListener('click', clear);
    byId('feature-filters').addEventListener('submit', (event) => event.preventDefault());
    byId('feature-more').addEventListener('click', () => {
      limit += PAGE;
      draw();
    });
    for (const hit of document.querySelectorAll('.hit[data-layer]')) {
      hit.addEventListener('click', () => {
        if (![...controls.layer.options].some((option) => option.value === hit.dataset.layer)) return;
        controls.layer.value = hit.dataset.layer;
        filter();
        byId('features').scrollIntoView();
      });
    }

    function follow() {
      const anchor = decodeURIComponent(location.hash.slice(1));
      const feature = all.find((candidate) => candidate.anchor === anchor);
      if (!feature) return;
      open.add(feature);
      clear();
      limit = Math.max(limit, shown.indexOf(feature) + 1);
      draw();
      byId(anchor).scrollIntoView({ block: 'center' });
    }

    byId('feature-filters').hidden = false;
    if (all.length) open.add(all[0]);
    filter();
    window.addEventListener('hashchange', follow);
    follow();
  }

  function startAnswers() {
    const list = byId('answer-list');
    if (!list) return;
    const entries = [...list.children].map((node) => ({ node, text: node.textContent.toLowerCase(), same: 'same' in node.dataset }));
    const [text, changed, more] = [byId('answer-text'), byId('answer-changed'), byId('answer-more')];
    let limit = 10;
    function filter() {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let found = 0;
      for (const entry of entries) {
        const fits = words.every((word) => entry.text.includes(word)) && !(changed.checked && entry.same);
        if (fits) found += 1;
        entry.node.hidden = !fits || found > limit;
      }
      byId('answer-count').textContent = found === entries.length ? entries.length + ' prompts' : found + ' of ' + entries.length + ' prompts';
      more.hidden = found <= limit;
    }
    const restart = () => {
      limit = 10;
      filter();
    };
    text.addEventListener('input', restart);
    changed.addEventListener('input', restart);
    more.addEventListener('click', () => {
      limit += 20;
      filter();
    });
    byId('answer-filters').addEventListener('submit', (event) => event.preventDefault());
    byId('answer-filters').hidden = false;
    filter();
    window.addEventListener('beforeprint', () => {
      limit = entries.length;
      filter();
    });
  }

  document.documentElement.classList.add('scripted');
  startFeatures();
  startAnswers();
  window.addEventListener('beforeprint', () => {
    for (const fold of document.querySelectorAll('.evidence')) fold.open = true;
  });
})();
