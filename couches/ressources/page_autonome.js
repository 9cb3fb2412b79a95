/* Page autonome : tout est dans le fichier, rien n'est demandé au réseau. */
"use strict";

(function () {
  const d = JSON.parse(document.getElementById("donnees").textContent);
  const INACCESSIBLE = 254, SANS_DONNEE = 255;
  const $ = (s) => document.querySelector(s);
  const octets = (t) => Uint8Array.from(atob(t), (c) => c.charCodeAt(0));
  const entiers = (t) => new Int32Array(octets(t).buffer);
  const nombre = (v) => Math.round(v).toLocaleString("fr-FR");
  const part = (v) => (v > 0 && v < 1 ? Math.min(Math.max(v, 0.001), 0.999) : v)
    .toLocaleString("fr-FR", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });

  const carreaux = {
    points: entiers(d.carreaux.points), // longitude, latitude, en 1e-6 degré
    debut: entiers(d.carreaux.debut),
    population: d.carreaux.population ? entiers(d.carreaux.population) : null, // dixièmes
    nombre: 0,
  };
  carreaux.nombre = carreaux.debut.length - 1;
  const minutes = d.themes.map((t) => octets(t.minutes));
  let courant = 0;

  /* ---- Carte */
  const carte = L.map("carte", { zoomSnap: 0.25, zoomControl: false, maxZoom: 17, minZoom: d.tuiles.min - 1 });
  L.control.zoom({ zoomInTitle: "Rapprocher", zoomOutTitle: "Éloigner" }).addTo(carte);
  L.control.scale({ imperial: false }).addTo(carte);
  const VIDE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
  const Fond = L.TileLayer.extend({
    getTileUrl(c) { return d.tuiles.images[`${c.z}/${c.x}/${c.y}`] || VIDE; },
  });
  new Fond("", { minNativeZoom: d.tuiles.min, maxNativeZoom: d.tuiles.max, maxZoom: 17, minZoom: 1 }).addTo(carte);

  function trame(contexte, genre) {
    const motif = document.createElement("canvas");
    motif.width = motif.height = 8;
    const c = motif.getContext("2d");
    if (genre === "hachures") {
      c.fillStyle = d.inaccessible.fond; c.fillRect(0, 0, 8, 8);
      c.strokeStyle = d.inaccessible.trait; c.lineWidth = 1.6;
      c.beginPath();
      for (const k of [-8, 0, 8]) { c.moveTo(k, 8); c.lineTo(k + 8, 0); }
      c.stroke();
    } else {
      c.fillStyle = d.sans_donnee; c.fillRect(2, 2, 2, 2); c.fillRect(6, 6, 2, 2);
    }
    return contexte.createPattern(motif, "repeat");
  }

  function classe(m) {
    if (m === SANS_DONNEE) return "points";
    if (m === INACCESSIBLE) return "hachures";
    let k = 0;
    while (k < d.bornes_min.length && m > d.bornes_min[k]) k += 1;
    return k;
  }

  /* Tous les carreaux sur une seule toile, redessinée quand la vue s'arrête. */
  const Carreaux = L.Layer.extend({
    onAdd() {
      this._toile = L.DomUtil.create("canvas", "leaflet-zoom-hide", this.getPane());
      this._dessiner();
    },
    onRemove() { this._toile.remove(); },
    getEvents() { return { moveend: this._dessiner, resize: this._dessiner }; },
    actualiser() { if (this._map) this._dessiner(); },
    _dessiner() {
      const carte = this._map, taille = carte.getSize(), densite = window.devicePixelRatio || 1;
      L.DomUtil.setPosition(this._toile, carte.containerPointToLayerPoint([0, 0]));
      this._toile.width = taille.x * densite; this._toile.height = taille.y * densite;
      this._toile.style.width = taille.x + "px"; this._toile.style.height = taille.y + "px";
      const c = this._toile.getContext("2d");
      c.scale(densite, densite);
      c.globalAlpha = 0.82;
      const origine = carte.getPixelOrigin(), coin = carte.containerPointToLayerPoint([0, 0]);
      const chemins = new Map();
      for (let i = 0; i < carreaux.nombre; i += 1) {
        const k = classe(minutes[courant][i]);
        if (!chemins.has(k)) chemins.set(k, new Path2D());
        const chemin = chemins.get(k);
        for (let s = carreaux.debut[i]; s < carreaux.debut[i + 1]; s += 1) {
          const p = carte.project([carreaux.points[2 * s + 1] / 1e6, carreaux.points[2 * s] / 1e6]);
          const x = p.x - origine.x - coin.x, y = p.y - origine.y - coin.y;
          if (s === carreaux.debut[i]) chemin.moveTo(x, y); else chemin.lineTo(x, y);
        }
        chemin.closePath();
      }
      for (const [k, chemin] of chemins) {
        c.fillStyle = typeof k === "number" ? d.couleurs[k] : trame(c, k);
        c.fill(chemin);
      }
    },
  });
  const calque = new Carreaux().addTo(carte);

  carte.createPane("limites").style.zIndex = 450;
  const limites = L.geoJSON(d.communes, {
    pane: "limites", interactive: false,
    style: { color: "#5d574e", weight: 1, dashArray: "5 4", fill: false },
  }).addTo(carte);
  L.geoJSON(d.contour, { pane: "limites", interactive: false, style: { color: "#2a2a2a", weight: 2.4, fill: false } }).addTo(carte);
  const noms = L.layerGroup().addTo(carte);
  const lieux = L.layerGroup().addTo(carte);
  const rendu = L.canvas({ pane: "limites" });

  function echapper(texte) { const e = document.createElement("span"); e.textContent = texte; return e; }

  /* Noms : les plus peuplées d'abord, jamais l'un sur l'autre. */
  function ecrireNoms() {
    noms.clearLayers();
    const poses = [];
    for (const c of d.zones) {
      const p = carte.latLngToContainerPoint([c.lat, c.lon]), demi = 4.2 * c.nom.length + 6;
      const boite = [p.x - demi, p.y - 12, p.x + demi, p.y + 12];
      if (poses.some((b) => b[0] < boite[2] && b[2] > boite[0] && b[1] < boite[3] && b[3] > boite[1])) continue;
      if (!carte.getBounds().contains([c.lat, c.lon])) continue;
      poses.push(boite);
      noms.addLayer(L.tooltip({ permanent: true, direction: "center", className: "nom", interactive: false })
        .setLatLng([c.lat, c.lon]).setContent(echapper(c.nom)));
    }
  }
  carte.on("moveend", ecrireNoms);

  function dire(m) {
    if (m === SANS_DONNEE) return "sans donnée";
    if (m === INACCESSIBLE) return "inaccessible";
    return m >= 250 ? "plus de 4 h" : `${m}\u00a0min`;
  }

  function contient(i, x, y) {
    let dedans = false;
    const debut = carreaux.debut[i], fin = carreaux.debut[i + 1];
    for (let s = debut, t = fin - 1; s < fin; t = s, s += 1) {
      const xs = carreaux.points[2 * s], ys = carreaux.points[2 * s + 1];
      const xt = carreaux.points[2 * t], yt = carreaux.points[2 * t + 1];
      if ((ys > y) !== (yt > y) && x < ((xt - xs) * (y - ys)) / (yt - ys) + xs) dedans = !dedans;
    }
    return dedans;
  }

  carte.on("click", (e) => {
    const x = e.latlng.lng * 1e6, y = e.latlng.lat * 1e6;
    for (let i = 0; i < carreaux.nombre; i += 1) {
      if (!contient(i, x, y)) continue;
      const dl = document.createElement("dl");
      const ligne = (t, v) => {
        const dt = document.createElement("dt"), dd = document.createElement("dd");
        dt.textContent = t; dd.textContent = v; dl.append(dt, dd);
      };
      ligne(d.themes[courant].libelle, dire(minutes[courant][i]));
      if (carreaux.population) ligne("habitants du carreau", nombre(carreaux.population[i] / 10));
      L.popup().setLatLng(e.latlng).setContent(dl).openOn(carte);
      return;
    }
  });

  /* ---- Volet */
  function montrerLieux() {
    lieux.clearLayers();
    const services = d.themes[courant].services;
    // Tous les lieux d'un panier à la fois ne se lisent que de près.
    if (!$("#lieux").checked || (services.length > 1 && carte.getZoom() < 14)) return;
    for (const s of services) {
      for (const [lon, lat, nom] of d.lieux[s] || []) {
        const point = L.circleMarker([lat, lon], { renderer: rendu, radius: 4, weight: 1, color: "#fff",
          fillColor: d.services[s].couleur, fillOpacity: 1 });
        point.bindTooltip(echapper(nom ? `${d.services[s].libelle} : ${nom}` : d.services[s].libelle));
        lieux.addLayer(point);
      }
    }
  }

  function montrer(rang) {
    courant = rang;
    const t = d.themes[rang];
    document.title = `${t.question} — ${d.territoire}`;
    $("h1").textContent = t.question;
    $(".grand").textContent = t.part === null ? "–" : part(t.part);
    $(".phrase").textContent = t.part === null ? "Sans donnée." : t.phrase;
    const corps = $("tbody");
    corps.replaceChildren();
    const rangees = d.zones.map((z, i) => [z, t.parts[i], t.hors[i]]).filter(([, v]) => v !== null);
    rangees.sort((a, b) => a[1] - b[1] || b[0].population - a[0].population);
    for (const [zone, v, hors] of rangees) {
      const tr = document.createElement("tr"), bouton = document.createElement("button");
      bouton.type = "button"; bouton.textContent = zone.nom;
      bouton.addEventListener("click", () => carte.fitBounds(zone.bornes));
      const cellules = [bouton, part(v), d.par_population ? `${nombre(hors)} hab.` : part(1 - v)];
      for (const c of cellules) {
        const td = document.createElement("td");
        td.append(c);
        tr.append(td);
      }
      corps.append(tr);
    }
    calque.actualiser();
    montrerLieux();
  }

  $(".territoire").textContent = `${d.territoire} · ${d.date}`;
  $(".fictif").hidden = !d.fictif;
  d.themes.forEach((t, i) => $("#theme").add(new Option(t.libelle, String(i))));
  $("#theme").addEventListener("change", (e) => montrer(Number(e.target.value)));
  $("#lieux").addEventListener("change", montrerLieux);
  $("#limites").addEventListener("change", (e) => (e.target.checked ? limites.addTo(carte) : limites.remove()));
  for (const entree of d.legende) {
    const li = document.createElement("li"), signe = document.createElement("span");
    signe.className = "signe";
    if (entree.trame === "hachures") {
      signe.style.background = `repeating-linear-gradient(135deg, ${d.inaccessible.trait} 0 2px, ${d.inaccessible.fond} 2px 6px)`;
    } else if (entree.trame === "points") {
      signe.style.background = `radial-gradient(${d.sans_donnee} 1.2px, #fff 1.4px) 0 0 / 6px 6px`;
    } else signe.style.background = entree.couleur;
    li.append(signe, entree.texte);
    $(".legende").append(li);
  }
  for (const texte of d.pied) {
    const p = document.createElement("p");
    p.textContent = texte;
    $("footer").append(p);
  }
  carte.fitBounds(d.bornes);
  carte.on("zoomend", montrerLieux);
  montrer(0);
  document.body.dataset.pret = "oui";
})();
