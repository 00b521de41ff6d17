// Light or dark as Airflow's UI is; where this page stands alone, as the UI was last, else as the system is.
const SYSTEM_DARK = matchMedia("(prefers-color-scheme: dark)");

function outerTheme() {
  try {
    if (window.parent !== window) {
      const root = window.parent.document.documentElement;
      for (const theme of ["dark", "light"]) if (root.classList.contains(theme) || root.dataset.theme === theme) return theme;
    }
    const kept = localStorage.getItem("theme");
    if (kept === "dark" || kept === "light") return kept;
  } catch { /* another origin's frame: what the system wants */ }
  return SYSTEM_DARK.matches ? "dark" : "light";
}

function followTheme() {
  const apply = () => { document.documentElement.dataset.theme = outerTheme(); };
  apply();
  SYSTEM_DARK.addEventListener("change", apply);
  try {
    if (window.parent !== window) new MutationObserver(apply).observe(window.parent.document.documentElement, { attributes: true });
  } catch { /* another origin's frame: nothing to watch */ }
}
followTheme();
