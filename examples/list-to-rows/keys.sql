ALTER TABLE public.article_tags ADD CONSTRAINT article_tags_article FOREIGN KEY (article_id) REFERENCES public.articles (id) ON DELETE CASCADE;
ALTER TABLE public.article_tags ADD CONSTRAINT article_tags_tag FOREIGN KEY (tag_id) REFERENCES public.tags (id) ON DELETE CASCADE;
