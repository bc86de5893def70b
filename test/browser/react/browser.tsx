/** The browser's entry: the page takes over what the server has rendered. */
import { hydrateRoot } from "react-dom/client";
import { Page } from "./page.tsx";

const root = document.getElementById("root");
if (root === null) throw new Error("The server sent no page");
hydrateRoot(root, <Page />);
