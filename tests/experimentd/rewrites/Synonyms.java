/* Reads synonym files as Lucene does and prints what it makes of each text: Synonyms FILE, texts on standard input, one a line; terms may be several words
 * with blanks between. Output: the text, a tab, and its alternatives, sorted, with tabs between. */
import java.io.BufferedReader;
import java.io.FileReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.TreeSet;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.core.WhitespaceAnalyzer;
import org.apache.lucene.analysis.core.WhitespaceTokenizer;
import org.apache.lucene.analysis.synonym.SolrSynonymParser;
import org.apache.lucene.analysis.synonym.SynonymGraphFilter;
import org.apache.lucene.analysis.synonym.SynonymMap;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.TokenStreamToAutomaton;
import org.apache.lucene.util.IntsRef;
import org.apache.lucene.util.automaton.Automaton;
import org.apache.lucene.util.automaton.FiniteStringsIterator;

public class Synonyms {
    static TreeSet<String> alternatives(SynonymMap map, String text) throws Exception {
        TreeSet<String> found = new TreeSet<>();
        Analyzer analyzer = new Analyzer() {
            @Override
            protected TokenStreamComponents createComponents(String field) {
                WhitespaceTokenizer words = new WhitespaceTokenizer();
                return new TokenStreamComponents(words, map.fst == null ? words : new SynonymGraphFilter(words, map, false));
            }
        };
        try (TokenStream stream = analyzer.tokenStream("f", text)) {
            TokenStreamToAutomaton graph = new TokenStreamToAutomaton();
            graph.setUnicodeArcs(true);
            Automaton a = graph.toAutomaton(stream);
            FiniteStringsIterator paths = new FiniteStringsIterator(a);
            for (IntsRef path; (path = paths.next()) != null;) {
                StringBuilder s = new StringBuilder();
                for (int i = 0; i < path.length; i++) {
                    int c = path.ints[path.offset + i];
                    s.appendCodePoint(c == TokenStreamToAutomaton.POS_SEP ? ' ' : c);
                }
                found.add(s.toString());
            }
        }
        return found;
    }

    public static void main(String[] args) throws Exception {
        SolrSynonymParser parser = new SolrSynonymParser(true, true, new WhitespaceAnalyzer());
        parser.parse(new FileReader(args[0], StandardCharsets.UTF_8));
        SynonymMap map = parser.build();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        java.io.PrintStream out = new java.io.PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line; (line = in.readLine()) != null;)
            out.println(line + "\t" + String.join("\t", alternatives(map, line)));
    }
}
