/* Textes anglais que Streamlit écrit dans sa zone de dépôt, remplacés par leur équivalent français :
   ceux qui se voient, et ceux que lisent les lecteurs d'écran. */
(function () {
  if (window.DemiHeureDepot) return;
  window.DemiHeureDepot = true;
  const NOMBRE = (texte) => texte.replace(".0", "").replace(".", ",");
  const PHRASES = [
    [/^Upload$/, () => "Choisir un fichier"],
    [/^file upload$/, () => "Choisir un fichier à montrer"],
    [/^Drag and drop (?:a )?files? here$/, () => "Déposez le fichier ici"],
    [/^Release to upload.*$/, () => "Déposez le fichier ici"],
    [/^([\d.]+)\s?MB per file.*$/, (_, n) => `${NOMBRE(n)} Mo au plus`],
    [/^([\d.]+)(KB|MB|B)$/, (_, n, u) => `${NOMBRE(n)} ${{ KB: "ko", MB: "Mo", B: "o" }[u]}`],
    [/^(.*), ([\d.]+)(KB|MB|B)$/, (_, nom, n, u) => `${nom}, ${NOMBRE(n)} ${{ KB: "ko", MB: "Mo", B: "o" }[u]}`],
    [/^(?:Error: )?File must be ([\d.]+)\s?MB or smaller\.?$/, (_, n) => `Fichier trop lourd : ${NOMBRE(n)} Mo au plus.`],
    [/^(?:Error: )?.*files are not allowed\.?$/, () => "Ce format de fichier n’est pas reçu."],
    [/^Error: .*$/, () => "L’envoi du fichier a échoué : recommencez."],
    [/^Remove (.*)$/, (_, nom) => `Retirer ${nom}`],
    [/^Add files?$/, () => "Choisir un autre fichier"],
    [/^add icon$/, () => ""],
  ];

  function dire(texte) {
    const propre = texte.trim();
    const trouvee = PHRASES.find(([motif]) => motif.test(propre));
    return trouvee ? propre.replace(trouvee[0], trouvee[1]) : texte;
  }

  function traduire(zone) {
    const textes = document.createTreeWalker(zone, NodeFilter.SHOW_TEXT);
    for (let noeud = textes.nextNode(); noeud; noeud = textes.nextNode()) {
      if (noeud.parentElement.closest('[role="alert"]')) continue;
      const suite = dire(noeud.data);
      if (suite !== noeud.data) noeud.data = suite;
    }
    zone.querySelectorAll("[aria-label]").forEach((element) => {
      const suite = dire(element.getAttribute("aria-label"));
      if (suite !== element.getAttribute("aria-label")) element.setAttribute("aria-label", suite);
    });
    /* Le refus d'un fichier trop lourd n'est qu'une info-bulle en anglais : il se montre en français. */
    zone.querySelectorAll('[data-testid="stFileChip"] [role="alert"]:not(.dh-refus)').forEach((alerte) => {
      alerte.setAttribute("aria-hidden", "true");
      const puces = alerte.closest('[data-testid="stFileChips"]').parentElement;
      let bloc = puces.querySelector(".dh-refus");
      if (!bloc) {
        bloc = document.createElement("p");
        bloc.className = "dh-refus";
        bloc.setAttribute("role", "alert");
        puces.append(bloc);
      }
      bloc.textContent = dire(alerte.textContent);
    });
  }

  /* Ce qui est traduit ici n'est pas à traduire de nouveau : l'écoute cesse le temps d'écrire. */
  const guetteur = new MutationObserver(relire);

  function relire() {
    guetteur.disconnect();
    document.querySelectorAll('[data-testid="stFileUploader"]').forEach(traduire);
    guetteur.observe(document.body, { childList: true, subtree: true, characterData: true });
  }

  relire();
})();
