/** The server's entry: the page as HTML. */
import { renderToString } from "react-dom/server";
import { Page } from "./page.tsx";

export const html = renderToString(<Page />);
