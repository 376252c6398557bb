INSERT INTO public.article_tags (article_id, tag_id) SELECT 8, id FROM public.tags WHERE name = 'weather' ON CONFLICT DO NOTHING;
DELETE FROM public.article_tags WHERE article_id = 9;
