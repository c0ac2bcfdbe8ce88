// The page's one entry: draws the view of the current address and listens for changes of it.
import { render } from "preact";
import { App } from "./app.jsx";
import "./style/base.css";
import "./style/parts.css";
import "./style/charts.css";
import "./style/catalog.css";
import "./style/live.css";

render(<App />, document.getElementById("page"));
