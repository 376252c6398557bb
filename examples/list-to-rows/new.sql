CREATE TABLE public.article_tags (article_id integer NOT NULL, tag_id integer NOT NULL, PRIMARY KEY (article_id, tag_id));
