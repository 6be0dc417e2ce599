namespace Orchestrator.Browser.Tests;

/// <summary>What tests run inside the page.</summary>
internal static class Scripts
{
    /// <summary>The time since the navigation, in milliseconds, once a tile has a figure.</summary>
    public const string TimeOfFigures =
        "() => /[0-9]/.test(document.querySelector('[data-test=tile-ended]')?.innerText ?? '') && performance.now()";

    /// <summary>How long it takes, in milliseconds, from a key to the end of the frame that shows what it did.</summary>
    public const string TimeOfKey = """
        key => new Promise(done => {
          const began = performance.now();
          document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
          requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
        })
        """;

    /// <summary>The same for <c>g</c> and a key, which lead to another page.</summary>
    public const string TimeOfKeys = """
        key => new Promise(done => {
          const began = performance.now();
          const before = document.querySelector('h1').textContent;
          document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'g', bubbles: true }));
          document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
          const look = () => document.querySelector('h1').textContent === before
            ? requestAnimationFrame(look) : setTimeout(() => done(performance.now() - began));
          requestAnimationFrame(look);
        })
        """;

    /// <summary>Marks what can have the focus, and counts it.</summary>
    public const string MarkFocusable = """
        () => {
          const all = [...document.querySelectorAll('a[href],button,input,select,textarea,summary,[tabindex="0"]')]
            .filter(e => e.checkVisibility({ visibilityProperty: true }))
            .filter(e => !e.disabled && !e.closest('dialog:not([open])') && e.tabIndex >= 0);
          for (const e of all) e.setAttribute('data-focusable', '');
          return all.length;
        }
        """;

    /// <summary>What was marked, is still there, and never had the focus.</summary>
    public const string NotReached = """
        () => [...document.querySelectorAll('[data-focusable]:not([data-reached])')]
          .filter(e => e.checkVisibility({ visibilityProperty: true }) && !e.disabled)
          .map(e => e.outerHTML.slice(0, 120))
        """;

    /// <summary>What can be pressed or filled and has no name for those who do not see it.</summary>
    public const string Unnamed = """
        () => [...document.querySelectorAll('a[href],button,input,select,textarea,summary,[role=slider]')]
          .filter(e => e.checkVisibility({ visibilityProperty: true }))
          .filter(e => !(e.getAttribute('aria-label') || e.textContent?.trim() || e.title || e.placeholder || e.labels?.length))
          .map(e => e.outerHTML.slice(0, 120))
        """;

    /// <summary>Texts whose contrast to what is behind them is too small, by WCAG's formula of relative luminance.</summary>
    public const string Faint = """
        () => {
          const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
          const read = colour => {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
            return [r, g, b, a / 255];
          };
          const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
          const behind = element => {
            const layers = [];
            for (let e = element; e; e = e.parentElement) layers.push(read(getComputedStyle(e).backgroundColor));
            return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
          };
          const luminance = colour => {
            const [r, g, b] = colour.slice(0, 3).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const faint = new Set();
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const text = walker.currentNode.textContent.trim();
            const element = walker.currentNode.parentElement;
            if (!text || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
            if (element.closest(':disabled,dialog:not([open]),.skip')) continue;
            const style = getComputedStyle(element);
            let opacity = 1;
            for (let e = element; e; e = e.parentElement) opacity *= Number(getComputedStyle(e).opacity);
            const below = behind(element);
            const own = read(style.color);
            const colour = over([own[0], own[1], own[2], own[3] * opacity], below);
            const [light, darker] = [luminance(colour), luminance(below)].sort((a, b) => b - a);
            const ratio = (light + 0.05) / (darker + 0.05);
            const size = parseFloat(style.fontSize);
            const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
            const place = element.className || element.tagName;
            if (ratio < (isLarge ? 3 : 4.5)) faint.add(`"${text.slice(0, 30)}" ${ratio.toFixed(2)} (${place})`);
          }
          return [...faint].slice(0, 12);
        }
        """;
}
